# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof as JUnit XML, for a pipeline: a suite for each account with a test for each promise, and the differences."""

from __future__ import annotations

import collections.abc as c
import os
import re
import tempfile
import typing as t
from xml.etree import ElementTree

Result = c.Mapping[str, t.Any]  # what access_proof returns

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def path_of(wanted: str, host: str) -> str:
    """The file of a host: what ends in .xml is a file, anything else the directory of one file a host."""
    if wanted.endswith(".xml"):
        return wanted
    return os.path.join(wanted, f"sallyport-{re.sub(r'[^A-Za-z0-9._-]', '_', host)}.xml")


def render(host: str, result: Result) -> str:
    suites = [_of_account(host, account) for account in result["accounts"]]
    suites.append(_of_drift(host, result["drift"]))
    root = ElementTree.Element("testsuites", name=_text(f"sallyport {host}"), time=f"{result['seconds']:.2f}")
    for count in ("tests", "failures", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def write(path: str, text: str) -> None:
    """Whole or not at all: a pipeline may look at any moment."""
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".sallyport-")
    try:
        with open(descriptor, "w", encoding="utf-8") as stream:
            stream.write("<?xml version='1.0' encoding='utf-8'?>\n" + text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _of_account(host: str, account: Result) -> ElementTree.Element:
    cases = []
    for promise in account["promises"]:
        case = ElementTree.Element("testcase", classname=_text(f"{host}.{account['name']}.{promise['area']}"))
        case.set("name", _text(f"{promise['promise']}: {promise['expected']}"))
        if promise["found"] == "not tried":
            ElementTree.SubElement(case, "skipped", message=_text(promise["said"] or "not tried"))
        elif not promise["ok"]:
            said = f" ({promise['said']})" if promise["said"] else ""
            message = f"expected: {promise['expected']}, found: {promise['found']}{said}"
            _fail(case, message, promise["remedy"])
        cases.append(case)
    return _suite(f"{host}: {account['name']}", cases)


def _of_drift(host: str, differences: c.Sequence[str]) -> ElementTree.Element:
    """One test that passes, or one that fails for each difference."""
    cases = []
    for text in differences or [""]:
        case = ElementTree.Element(
            "testcase", classname=_text(f"{host}.drift"), name=_text(text or "the host is as the model")
        )
        if text:
            _fail(case, text, "apply the model again, or change it")
        cases.append(case)
    return _suite(f"{host}: differences from the model", cases)


def _fail(case: ElementTree.Element, message: str, remedy: str) -> None:
    ElementTree.SubElement(case, "failure", message=_text(message)).text = _text(remedy)


def _suite(name: str, cases: c.Sequence[ElementTree.Element]) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=_text(name), tests=str(len(cases)))
    for count, kind in (("failures", "failure"), ("skipped", "skipped")):
        suite.set(count, str(sum(case.find(kind) is not None for case in cases)))
    suite.extend(cases)
    return suite


def _text(text: str) -> str:
    """What XML can hold."""
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
