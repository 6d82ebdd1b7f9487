# SPDX-License-Identifier: GPL-3.0-or-later
"""A valid model with something of everything, and ways to put a value at a place of it."""

from __future__ import annotations

import base64
import copy
import functools
import re
import struct
import typing as t

import yaml
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Model
from ansible_collections.sallyport.ssh.plugins.plugin_utils.validate import Context, Invalid, resolve

Variables = t.Dict[str, t.Any]
Step = t.Union[str, int]

CONTEXT = Context(inventory_hostname="web1.example.com", connecting_user="deploy")
YESCRYPT = "$y$j9T$aaaaaaaaaaaaaaaaaaaaaa$" + "b" * 43
SHA512 = "$6$rounds=5000$abcdefgh$" + "c" * 86
PRIVATE = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
-----END OPENSSH PRIVATE KEY-----
"""


def encoded(kind: str, *fields: bytes, inside: t.Optional[str] = None) -> str:
    """A line of a .pub file whose blob has these fields."""
    blob = b"".join(struct.pack(">I", len(field)) + field for field in ((inside or kind).encode(), *fields))
    return f"{kind} {base64.b64encode(blob).decode()}"


def ed25519(number: int) -> str:
    """A number as a key, whose private half nobody has."""
    return encoded("ssh-ed25519", bytes([7]) * 31 + bytes([number]))


def rsa(bits: int, exponent: int = 65537) -> str:
    modulus = (1 << (bits - 1)) | 1
    numbers = [number.to_bytes(number.bit_length() // 8 + 1, "big") for number in (exponent, modulus)]
    return encoded("ssh-rsa", *numbers)


BASE: Variables = yaml.safe_load(f"""
server:
  address: sftp.example.com
  admins: [deploy]
  global_keys: [{{name: platform, key: {ed25519(1)}}}]
  ban: {{exempt: [192.0.2.1]}}
people:
  - {{name: alice, keys: [{{name: laptop, key: {ed25519(2)}, expires: 2099-01-31T00:00:00Z, from: [203.0.113.0/24]}}]}}
  - {{name: bob, keys: [{{name: desk, key: {ed25519(3)}}}]}}
teams: [{{name: integrators, people: [alice, bob]}}]
folders:
  - {{name: pim, path: /data/transfer/pim, owner: www-data, group: pim-transfer, subfolders: [in, out]}}
  - {{name: dam, path: /data/transfer/dam, owner: dam, sharing: group}}
accounts:
  - name: acme
    people: [bob]
    keys: [{{name: erp, key: {ed25519(4)}}}]
    password_hash: {YESCRYPT}
    expires: 2098-12-31T12:34:56Z
    folders:
      - {{folder: pim, at: /pim, rights: read_only}}
      - {{private: true, at: /upload}}
      - {{source: /vmfs/pcc-1/upload, at: /store/pcc-1, owner: vmware}}
      - {{at: /pim/secret, hidden: true}}
    start_in: /pim
  - name: shop
    kind: shell
    teams: [integrators]
    groups: [readers]
    home: /srv/shop
    forwarding: {{agent: true, local: ["127.0.0.1:3306", "[::1]:9200"], remote: ["localhost:8080"]}}
    sudo_tasks: [shop_mysql, shop_consumer, shop_cache]
  - name: db
    kind: tunnel
    from: [198.51.100.0/24]
    password: Correct-Horse-1
    forwarding: {{local: ["db.example.com:3306"]}}
sudo_tasks:
  - {{name: shop_mysql, service: mysql, actions: [status, restart]}}
  - {{name: shop_consumer, service_pattern: 'consumer@[0-9]+', protected: ['consumer@1'], actions: [stop]}}
  - {{name: shop_cache, run_as: www-data, commands: [[/usr/bin/touch, /srv/x], [/opt/shop/bin/console, "cache:clear"]]}}
""")


def steps(place: str) -> t.List[Step]:
    """``accounts[0].name`` as the steps to it."""
    found = re.findall(r"\[([0-9]+)\]|([^.\[\]]+)", place)
    return [int(position) if position else name for position, name in found]


def put(place: str, value: t.Any, base: t.Optional[Variables] = None) -> Variables:
    """The model with a value at a place. One step beyond the end of a list adds to it."""
    model = copy.deepcopy(BASE if base is None else base)
    *path, last = steps(place)
    parent: t.Any = functools.reduce(_step, path, model)
    if isinstance(last, int) and last == len(parent):
        parent.append(value)
    else:
        parent[last] = value
    return model


def _step(parent: t.Any, step: Step) -> t.Any:
    return parent.setdefault(step, {}) if isinstance(parent, dict) else parent[step]


def resolved(variables: Variables, context: Context = CONTEXT) -> t.Union[Model, t.List[str]]:
    """The model, or all that is wrong with it; whatever else may happen is a defect."""
    try:
        return resolve(variables, context=context)
    except Invalid as invalid:
        return invalid.problems


def yml(text: str) -> t.Any:
    """What YAML makes of a value that is written like this."""
    return yaml.safe_load(text)
