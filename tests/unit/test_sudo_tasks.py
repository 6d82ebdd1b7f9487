# SPDX-License-Identifier: GPL-3.0-or-later
"""What sudo tasks put on a host, and what they refuse to put there."""

from __future__ import annotations

import dataclasses
import stat
import typing as t

import pytest
from ansible_collections.sallyport.ssh.plugins.module_utils import layout
from ansible_collections.sallyport.ssh.plugins.module_utils.host import Host, PathStat, Tools
from ansible_collections.sallyport.ssh.plugins.module_utils.model import Account, Model, Server, SudoTask
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns import sudo_tasks
from ansible_collections.sallyport.ssh.plugins.module_utils.nouns.sudo_tasks import Rule
from ansible_collections.sallyport.ssh.plugins.module_utils.records import Made, Record
from ansible_collections.sallyport.ssh.plugins.module_utils.resources import File, State, User, of
from ansible_collections.sallyport.ssh.plugins.module_utils.system import processes, sudo

PROGRAMS = layout.PROGRAMS
MYSQL = SudoTask("partners_mysql", service="mysql", actions=("status", "restart"))
FPM = SudoTask("partners_php8.1-fpm", service="php8.1-fpm.service", actions=("start",))
CONSUMERS = SudoTask("partners_systemctl", service_pattern="job@[0-9]+", actions=("start", "stop"))
CACHE = SudoTask("partners_clear_cache", run_as="www-data", commands=(("/usr/bin/id",), ("/bin/rm", "-f", "/x y")))

ROOT_DIRECTORY = PathStat(stat.S_IFDIR | 0o755, 0, 0)
ROOT_PROGRAM = PathStat(stat.S_IFREG | 0o755, 0, 0)
KNOWN = State(users={name: User(name, 0, 0, "/", "/bin/sh") for name in ("root", "www-data", "akeneo")})


def link(target: str) -> PathStat:
    return PathStat(stat.S_IFLNK | 0o777, 0, 0, target)


PATHS: t.Mapping[str, PathStat] = {
    **dict.fromkeys(["/", "/usr", "/usr/bin", "/usr/local", "/usr/sbin", "/etc", "/etc/alternatives"], ROOT_DIRECTORY),
    **dict.fromkeys(["/usr/bin/systemctl", "/usr/bin/id", "/usr/bin/rm", "/usr/bin/python3.11"], ROOT_PROGRAM),
    "/bin": link("usr/bin"),
    "/usr/bin/python3": link("python3.11"),
}
HOST = Host(paths=PATHS, tools=Tools(sudo="/usr/bin/sudo.ws"))


def account(name: str, *tasks: SudoTask, state: str = "present") -> Account:
    return Account(name, "shell", state=state, sudo_tasks=tuple(task.name for task in tasks))


def model(*items: t.Union[Account, SudoTask]) -> Model:
    return Model(
        Server("host"),
        accounts=tuple(item for item in items if isinstance(item, Account)),
        sudo_tasks=tuple(item for item in items if isinstance(item, SudoTask)),
    )


def rules(*texts: str) -> str:
    return "".join(f"{text}\n" for text in (f"# {layout.HEADER.strip()}", *texts))


ANY = "# Any arguments: the program checks them, no sudoers pattern does so safely."

SUDOERS = [
    pytest.param(
        model(account("akeneo", MYSQL), MYSQL),
        rules(
            "",
            "# partners_mysql",
            f"akeneo ALL=(root) NOPASSWD: {PROGRAMS}/partners_mysql status",
            f"akeneo ALL=(root) NOPASSWD: {PROGRAMS}/partners_mysql restart",
        ),
        id="a line for each action of a service",
    ),
    pytest.param(
        model(account("akeneo", FPM), FPM),
        rules("", "# partners_php8.1-fpm", f"akeneo ALL=(root) NOPASSWD: {PROGRAMS}/partners_php8.1-fpm start"),
        id="dots in a name",
    ),
    pytest.param(
        model(account("akeneo", CONSUMERS), CONSUMERS),
        rules("", "# partners_systemctl", ANY, f"akeneo ALL=(root) NOPASSWD: {PROGRAMS}/partners_systemctl"),
        id="any arguments for a pattern",
    ),
    pytest.param(
        model(account("akeneo", CACHE), CACHE),
        rules("", "# partners_clear_cache", f'akeneo ALL=(www-data) NOPASSWD: {PROGRAMS}/partners_clear_cache ""'),
        id="no arguments for commands, as their own user",
    ),
    pytest.param(
        model(account("b", FPM, CACHE), account("a", FPM), FPM, CACHE),
        rules(
            "",
            "# partners_clear_cache",
            f'b ALL=(www-data) NOPASSWD: {PROGRAMS}/partners_clear_cache ""',
            "",
            "# partners_php8.1-fpm",
            f"a ALL=(root) NOPASSWD: {PROGRAMS}/partners_php8.1-fpm start",
            f"b ALL=(root) NOPASSWD: {PROGRAMS}/partners_php8.1-fpm start",
        ),
        id="tasks and accounts in the order of their names",
    ),
    pytest.param(
        model(account("a", FPM, state="suspended"), account("b", FPM, state="absent"), account("c", FPM), FPM),
        rules("", "# partners_php8.1-fpm", f"c ALL=(root) NOPASSWD: {PROGRAMS}/partners_php8.1-fpm start"),
        id="nothing for suspended and absent accounts",
    ),
    pytest.param(
        model(account("a.b-c_d", FPM), FPM),
        rules("", "# partners_php8.1-fpm", f"a.b-c_d ALL=(root) NOPASSWD: {PROGRAMS}/partners_php8.1-fpm start"),
        id="a name with everything that is allowed",
    ),
]


@pytest.mark.parametrize(("wanted", "text"), SUDOERS)
def test_sudoers(wanted: Model, text: str) -> None:
    files = sudo_tasks.desired(wanted, HOST, KNOWN).files
    assert files[layout.SUDOERS] == File(layout.SUDOERS, text, 0o440)


@pytest.mark.skipif(processes.find("visudo") is None, reason="needs visudo")
@pytest.mark.parametrize(("wanted", "text"), SUDOERS)
def test_the_real_visudo_accepts_every_text(wanted: Model, text: str) -> None:
    assert sudo.check(sudo_tasks.sudoers(wanted), processes.find("visudo") or "") is None


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(model(MYSQL), id="no account has the task"),
        pytest.param(model(account("akeneo"), MYSQL), id="an account without tasks"),
        pytest.param(model(account("akeneo", MYSQL, state="suspended"), MYSQL), id="only a suspended one has"),
        pytest.param(model(account("akeneo", FPM), MYSQL), id="a task that is gone"),
    ],
)
def test_no_sudoers_file_without_a_line(wanted: Model) -> None:
    assert layout.SUDOERS not in sudo_tasks.desired(wanted, HOST, KNOWN).files


def test_nothing_at_all_without_tasks() -> None:
    wanted = model(account("akeneo"))
    assert sudo_tasks.desired(wanted, HOST, KNOWN) == State()
    assert sudo_tasks.paths_needed(wanted) == []
    assert sudo_tasks.problems(wanted, Host(), State()) == []


def test_every_task_gets_a_program_and_a_command() -> None:
    files = sudo_tasks.desired(model(MYSQL, CACHE), HOST, KNOWN).files
    assert set(files) == {
        f"{directory}/{name}"
        for directory in (layout.PROGRAMS, layout.COMMANDS)
        for name in ("partners_mysql", "partners_clear_cache")
    }
    assert {(file.mode, file.owner, file.group) for file in files.values()} == {(0o755, "root", "root")}
    last_line = files[f"{layout.COMMANDS}/partners_clear_cache"].content.splitlines()[-1]
    assert last_line == f'exec /usr/bin/sudo.ws -n -u www-data {PROGRAMS}/partners_clear_cache "$@"'


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ({}, "/usr/bin/systemctl"),
        ({"/usr/bin/systemctl": None, "/bin": ROOT_DIRECTORY, "/bin/systemctl": ROOT_PROGRAM}, "/bin/systemctl"),
    ],
    ids=["merged", "not merged"],
)
def test_systemctl_is_where_the_host_has_it(paths: t.Mapping[str, t.Optional[PathStat]], expected: str) -> None:
    host = with_paths(paths)
    program = sudo_tasks.desired(model(MYSQL), host, KNOWN).files[f"{PROGRAMS}/partners_mysql"]
    assert f"'{expected}'" in program.content
    assert sudo_tasks.problems(model(MYSQL), host, KNOWN) == []


@pytest.mark.parametrize(
    ("paths", "made", "expected"),
    [
        ({}, (), ["/usr/local/libexec", PROGRAMS]),
        ({"/usr/local/libexec": ROOT_DIRECTORY}, (), [PROGRAMS]),
        ({"/usr/local/libexec": ROOT_DIRECTORY}, ("/usr/local/libexec",), ["/usr/local/libexec", PROGRAMS]),
    ],
    ids=["missing", "the host's own", "made by an earlier run"],
)
def test_directories_of_the_host_are_left_as_they_are(
    paths: t.Mapping[str, t.Optional[PathStat]], made: t.Tuple[str, ...], expected: t.List[str]
) -> None:
    record = Record(made={"sudo_tasks": Made(directories=frozenset(made))})
    host = dataclasses.replace(with_paths(paths), record=record)
    assert sorted(sudo_tasks.desired(model(MYSQL), host, KNOWN).directories) == sorted(expected)


def test_expected_rules_are_those_of_the_lines() -> None:
    wanted = model(account("akeneo", MYSQL, CACHE), account("b", MYSQL, state="suspended"), account("c"), MYSQL, CACHE)
    assert sudo_tasks.expected_rules(wanted) == {
        "akeneo": {
            Rule("root", f"{PROGRAMS}/partners_mysql status"),
            Rule("root", f"{PROGRAMS}/partners_mysql restart"),
            Rule("www-data", f'{PROGRAMS}/partners_clear_cache ""'),
        },
        "b": frozenset(),
    }


def with_paths(paths: t.Mapping[str, t.Optional[PathStat]]) -> Host:
    """The host with other paths: ``None`` takes one away."""
    merged = {**PATHS, **paths}
    return dataclasses.replace(HOST, paths={path: found for path, found in merged.items() if found is not None})


def test_a_good_host_has_no_problem() -> None:
    wanted = model(account("akeneo", MYSQL, CACHE, CONSUMERS), MYSQL, CACHE, CONSUMERS)
    assert sudo_tasks.problems(wanted, HOST, KNOWN) == []


def runs(path: str) -> SudoTask:
    return SudoTask("task", commands=(("/usr/bin/id",), (path, "argument")))


WRITABLE = PathStat(stat.S_IFDIR | 0o775, 0, 50)
FOREIGN = PathStat(stat.S_IFREG | 0o755, 1000, 0)


@pytest.mark.parametrize(
    ("task", "paths", "problem"),
    [
        pytest.param(
            runs("/srv/x"),
            {"/srv": ROOT_DIRECTORY, "/srv/x": FOREIGN},
            "access_sudo_tasks: task: commands[1]: /srv/x belongs to uid 1000, "
            "who could replace what runs; chown root /srv/x",
            id="a file of somebody",
        ),
        pytest.param(
            runs("/srv/x"),
            {"/srv": WRITABLE, "/srv/x": ROOT_PROGRAM},
            "access_sudo_tasks: task: commands[1]: others than root can write /srv "
            "and replace what runs; chmod go-w /srv",
            id="a directory that a group can write",
        ),
        pytest.param(
            runs("/srv/x"),
            {"/srv": PathStat(stat.S_IFDIR | 0o1777, 0, 0), "/srv/x": ROOT_PROGRAM},
            "others than root can write /srv ",
            id="a sticky directory",
        ),
        pytest.param(
            runs("/srv/x"),
            {"/srv": ROOT_DIRECTORY, "/srv/x": PathStat(stat.S_IFREG | 0o757, 0, 0)},
            "others than root can write /srv/x ",
            id="a file that everybody can write",
        ),
        pytest.param(
            runs("/usr/bin/x"),
            {"/usr/bin/x": link("/home/a/x"), "/home": ROOT_DIRECTORY, "/home/a": FOREIGN, "/home/a/x": ROOT_PROGRAM},
            "/home/a belongs to uid 1000",
            id="a link into a home",
        ),
        pytest.param(
            runs("/usr/bin/x"),
            {"/usr/bin/x": dataclasses.replace(link("id"), uid=1000)},
            "/usr/bin/x belongs to uid 1000",
            id="a link of somebody",
        ),
        pytest.param(
            runs("/opt/x"), {}, "/opt/x does not exist on the host (/opt is missing); install it", id="missing"
        ),
        pytest.param(runs("/usr/bin/x"), {"/usr/bin/x": link("x")}, "/usr/bin/x is not a program", id="a circle"),
        pytest.param(runs("/usr/bin"), {}, "/usr/bin is not a program", id="a directory"),
        pytest.param(
            runs("/usr/bin/x"),
            {"/usr/bin/x": PathStat(stat.S_IFREG | 0o644, 0, 0)},
            "make it executable (chmod 0755 /usr/bin/x)",
            id="not executable",
        ),
        pytest.param(
            runs("/usr/bin/vi"),
            {
                "/usr/bin/vi": link("/etc/alternatives/vi"),
                "/etc/alternatives/vi": link("/usr/bin/vim.basic"),
                "/usr/bin/vim.basic": ROOT_PROGRAM,
            },
            "/usr/bin/vi (/usr/bin/vim.basic) is an editor, which hands its rights on",
            id="an editor",
        ),
        pytest.param(
            runs("/usr/bin/harmless"),
            {"/usr/bin/harmless": link("python3.11")},
            "/usr/bin/harmless (/usr/bin/python3.11) is an interpreter",
            id="an interpreter by another name",
        ),
        pytest.param(
            MYSQL,
            {"/usr/bin/systemctl": None},
            "access_sudo_tasks: /usr/bin/systemctl does not exist on the host; install it",
            id="no systemctl",
        ),
        pytest.param(
            MYSQL, {"/usr/bin/systemctl": FOREIGN}, "access_sudo_tasks: /usr/bin/systemctl belongs to", id="systemctl"
        ),
        pytest.param(
            CACHE,
            {"/usr/bin/python3": None},
            "access_sudo_tasks: /usr/bin/python3 does not exist on the host; install it",
            id="no Python",
        ),
        pytest.param(
            CACHE, {"/usr/bin/python3.11": FOREIGN}, "access_sudo_tasks: /usr/bin/python3.11 belongs to", id="Python"
        ),
        pytest.param(
            CACHE,
            {"/usr/local": PathStat(stat.S_IFDIR | 0o2775, 0, 50)},
            "access_sudo_tasks: others than root can write /usr/local and replace what runs; chmod go-w /usr/local",
            id="the directory of the programs",
        ),
        pytest.param(
            dataclasses.replace(CACHE, run_as="nobody-such"),
            {},
            "access_sudo_tasks: partners_clear_cache: run_as names nobody-such, which the host does not have",
            id="an unknown run_as",
        ),
        pytest.param(
            dataclasses.replace(CACHE, run_as="%wheel"), {}, "misread run_as '%wheel'", id="a group as run_as"
        ),
        pytest.param(dataclasses.replace(CACHE, run_as="ALL"), {}, "misread run_as 'ALL'", id="everybody as run_as"),
        pytest.param(SudoTask("a b", service="x"), {}, "would misread the name 'a b'", id="a space in a name"),
        pytest.param(SudoTask("a\nb", service="x"), {}, "would misread the name 'a\\nb'", id="a newline in a name"),
        pytest.param(SudoTask("a\n", service="x"), {}, "would misread the name 'a\\n'", id="a newline after a name"),
        pytest.param(SudoTask("../a", service="x"), {}, "would misread the name '../a'", id="a path as a name"),
        pytest.param(SudoTask("a", service="-Hx"), {}, "'-Hx' is not the name of a service", id="an option as service"),
        pytest.param(SudoTask("a", service="x y"), {}, "'x y' is not the name of a service", id="two services"),
        pytest.param(
            SudoTask("id", service="x"),
            {},
            "access_sudo_tasks: id: would hide /usr/bin/id; give the task another name, or remove that program",
            id="a name that is taken",
        ),
    ],
)
def test_problems(task: SudoTask, paths: t.Mapping[str, t.Optional[PathStat]], problem: str) -> None:
    found = sudo_tasks.problems(model(task), with_paths(paths), KNOWN)
    assert [text for text in found if problem in text], found


def test_a_command_of_somebody_else_stays() -> None:
    path = f"{layout.COMMANDS}/partners_mysql"
    foreign = dataclasses.replace(HOST, state=of(File(path, "#!/bin/sh\n", 0o755)))
    assert sudo_tasks.problems(model(MYSQL), foreign, KNOWN) == [
        (
            f"access_sudo_tasks: partners_mysql: {path} was not made here; "
            "give the task another name, or move that file away"
        )
    ]
    own = sudo_tasks.desired(model(MYSQL), HOST, KNOWN).files[path]
    assert sudo_tasks.problems(model(MYSQL), dataclasses.replace(HOST, state=of(own)), KNOWN) == []


@pytest.mark.parametrize(
    ("state", "count"), [("present", 1), ("suspended", 0), ("absent", 0)], ids=["present", "suspended", "absent"]
)
def test_sudo_must_be_there_for_open_accounts(state: str, count: int) -> None:
    host = dataclasses.replace(HOST, tools=Tools(sudo=None))
    found = sudo_tasks.problems(model(account("akeneo", MYSQL, state=state), MYSQL), host, KNOWN)
    assert found == ["access_sudo_tasks: the host has no sudo; install it (apt-get install sudo)"] * count


@pytest.mark.parametrize(
    "name", ["%ops", "#0", "+net", "ALL", "OPS_1", "a b", "a,b", "!a", "a\n", "a=b", "a\\b", "1000", "_a", ""]
)
def test_accounts_that_sudo_would_misread_are_refused(name: str) -> None:
    found = sudo_tasks.problems(model(account(name, MYSQL), MYSQL), HOST, KNOWN)
    assert found == [f"access_accounts: {name!r}: sudo would misread the name; give it another one"]


def test_every_path_that_a_rule_looks_at_is_read() -> None:
    needed = sudo_tasks.paths_needed(model(MYSQL, CACHE))
    for path in (PROGRAMS, "/usr/bin/python3", "/usr/bin/systemctl", "/bin/systemctl", "/usr/bin/id", "/bin/rm"):
        assert path in needed
    assert "/usr/sbin/partners_mysql" in needed
