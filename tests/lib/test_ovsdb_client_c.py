# SPDX-License-Identifier: Apache-2.0
"""libovsdb-client, the C library: compiled with sanitizers and run on servers.

Everything is compiled once, into a temporary directory. `ovsdb_client/` beside this
file holds the programs: `unit` needs no server, `fuzz` plays the server, `exercise`
goes through all of the library on a server of either implementation.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.programs import SCHEMA, Ours, Reference, RunDir, wait_until

LIBRARY = Path(__file__).parents[2] / "lib" / "ovsdb-client"
INCLUDES = (LIBRARY / "include", LIBRARY / "src")
PROGRAMS = Path(__file__).parent / "ovsdb_client"
KINDS = PROGRAMS / "kinds.ovsschema"
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror")
VTEP = Path("/usr/share/openvswitch/vtep.ovsschema")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("gcc") and shutil.which("make")), reason="needs gcc, make"
    ),
]


def run(words, **options):
    """Run a program; its output. It must succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )
    assert done.returncode == 0, (words, done.stdout[-4000:], done.stderr[-8000:])
    return done.stdout


def idlc(*words):
    """Run the generator."""
    return run([sys.executable, "-B", LIBRARY / "idlc", *words])


def has_ssl():
    return shutil.which("pkg-config") and not subprocess.call(
        ["pkg-config", "--exists", "openssl"]
    )


class Build:
    """The compiled library and the programs that use it."""

    def __init__(self, path):
        self.path = path
        idlc("c-idl-header", KINDS, "--prefix=kinds_", "-o", path / "kinds-idl.h")
        idlc(
            *("c-idl-source", KINDS, "--prefix=kinds_"),
            *("--include=kinds-idl.h", "-o", path / "kinds-idl.c"),
        )
        self.make("all", "examples")
        run([*self._gcc, "-c", self / "kinds-idl.c", "-o", self / "kinds-idl.o"])
        programs = [self._start(name) for name in ("unit", "fuzz", "exercise")]
        for program in programs:
            _out, err = program.communicate(timeout=300)
            assert program.returncode == 0, err

    def __truediv__(self, name):
        return self.path / name

    def make(self, *targets):
        return run(
            [
                *("make", "-s", "-j2", "-C", LIBRARY, f"BUILD={self.path}"),
                *("SANITIZE=address,undefined", "CFLAGS=-O0 -g1 -Werror"),
                *(f"PYTHON={sys.executable}", "PREFIX=/usr", *targets),
            ]
        )

    @property
    def _gcc(self):
        words = ["gcc", "-std=c11", "-D_GNU_SOURCE", "-O0", "-g1", *WARNINGS, *SANITIZE]
        return [*words, *(f"-I{path}" for path in (*INCLUDES, self.path))]

    def _start(self, name):
        words = [*self._gcc, PROGRAMS / f"{name}.c", self / "kinds-idl.o"]
        words += [self / "libovsdb-client.a", "-o", self / name]
        words += ["-lssl", "-lcrypto"] if has_ssl() else []
        return subprocess.Popen(
            [str(word) for word in words], stderr=subprocess.PIPE, text=True
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return Build(tmp_path_factory.mktemp("ovsdb-client"))


@pytest.fixture(scope="module")
def switch():
    """Our server, with a bridge."""
    with RunDir() as place:
        place.start_ovsdb_server(Ours, "--remote=ptcp:0:127.0.0.1")
        db = f"--db=unix:{place.path}/db.sock"
        words = ["--no-wait", "init", "--", "add-br", "br0"]
        words += ["--", "add-port", "br0", "p1", "tag=5"]
        place.vsctl = lambda *words: place.run(
            [Ours.path("ovs-vsctl"), db, "--no-wait", *words], check=True
        )
        place.vsctl(*words)
        place.remote = f"unix:{place.path}/db.sock"
        yield place


def ports(listing):
    return sorted(line.strip() for line in listing.splitlines() if line[0] == " ")


def test_parts_without_a_server(built):
    assert run([built / "unit"]) == "passed\n"


@pytest.mark.parametrize("seed", [1, 2])
def test_random_input_does_no_harm(built, seed):
    assert run([built / "fuzz", seed, 60]) == "passed\n"


def make_certificates(folder):
    """Make an authority, and a key and certificate signed by it."""
    openssl = shutil.which("openssl")

    def call(line):
        run([openssl, *line.split()], cwd=folder)

    new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    call(f"{new_key} -x509 -subj /CN=ca -keyout ca-key -out ca -days 2")
    call(f"{new_key} -subj /CN=both -keyout key -out request")
    call(
        "x509 -req -in request -CA ca -CAkey ca-key -set_serial 1 "
        "-out certificate -days 2"
    )
    return [folder / name for name in ("key", "certificate", "ca")]


def port_of(place):
    """The TCP port on which the server has chosen to listen."""
    log = (place / "ovsdb-server.log").read_text().splitlines()
    (line,) = [line for line in log if "listening on port" in line]
    return line.split()[-1]


class Exercise:
    """`exercise` on a server of its own, running."""

    def __init__(self, built, implementation, certificates=None):
        self._place = RunDir()
        options = []
        if certificates:
            names = ("private-key", "certificate", "ca-cert")
            files = zip(names, certificates, strict=True)
            options = [f"--{name}={file}" for name, file in files]
            options.append("--remote=pssl:0:127.0.0.1")
        self._place.start_ovsdb_server(implementation, *options, schema=KINDS)
        remote = f"unix:{self._place.path}/db.sock"
        if certificates:
            remote = f"ssl:127.0.0.1:{port_of(self._place)}"
        self._child = self._place.start(
            [built / "exercise", remote, *(certificates or ())],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self):
        out, err = self._child.communicate(timeout=60)
        assert (self._child.returncode, out) == (0, "passed\n"), err[-4000:]

    def close(self):
        self._place.close()


@pytest.fixture(scope="module")
def exercises(built, tmp_path_factory):
    """All of them at once: they spend their time waiting."""
    running = {"ours": Exercise(built, Ours)}
    if not Reference.missing():
        running["reference"] = Exercise(built, Reference)
    if has_ssl() and shutil.which("openssl"):
        certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
        running["tls"] = Exercise(built, Ours, certificates)
    yield running
    for exercise in running.values():
        exercise.close()


@pytest.mark.parametrize(
    "name", ["ours", "tls", pytest.param("reference", marks=pytest.mark.reference)]
)
def test_everything_on_a_server(exercises, name):
    if name not in exercises:
        pytest.skip("needs OpenSSL")
    exercises[name].finish()


def test_bridges_are_listed_over_tcp_and_from_the_remote_that_answers(built, switch):
    for remote in (
        f"tcp:127.0.0.1:{port_of(switch)}",
        f"unix:/nonexistent,{switch.remote}",
    ):
        listing = run([built / "list-bridges", remote])
        assert listing.startswith("br0\n")
        assert "p1 tag 5" in ports(listing)


def test_a_path_too_long_for_an_address_works(built, switch, tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    (folder / "db.sock").symlink_to(switch / "db.sock")
    assert run([built / "list-bridges", f"unix:{folder}/db.sock"]).startswith("br0\n")


def test_a_port_is_added(built, switch):
    run([built / "add-port", switch.remote, "br0", "p2", "internal"])
    assert "p2" in switch.vsctl("list-ports", "br0").out.split()
    done = switch.run([built / "add-port", switch.remote, "nosuch", "p3"])
    assert (done.status, done.err) == (1, "no bridge named nosuch\n")


def test_changes_are_followed_over_conversion_and_restart_of_the_server(built):
    with RunDir() as place:
        place.start_ovsdb_server(Ours)
        db = f"--db=unix:{place.path}/db.sock"

        def vsctl(*words):
            command = [Ours.path("ovs-vsctl"), db, "--no-wait"]
            place.run([*command, *words], check=True)

        vsctl("init", "--", "add-br", "br0")
        out = place / "out"
        with out.open("w") as file:
            follow = place.start(
                [built / "follow", f"unix:{place.path}/db.sock", 4], stdout=file
            )
            wait_until(lambda: "new br0\n" in out.read_text())
            vsctl("set", "port", "br0", "tag=3")
            wait_until(lambda: "tag of br0\n" in out.read_text())
            client = [Ours.path("ovsdb-client"), "convert"]
            place.run([*client, f"unix:{place.path}/db.sock", SCHEMA], check=True)
            place.appctl("-t", "ovsdb-server", "exit", check=True)
            wait_until(lambda: not (place / "ovsdb-server.pid").exists())
            place.start_ovsdb_server(Ours)
            vsctl("add-port", "br0", "p1", "--", "clear", "port", "br0", "tag")
            assert follow.wait(timeout=20) == 0
        assert sorted(out.read_text().splitlines()[2:]) == ["new p1", "tag of br0"]


class Impostor(threading.Thread):
    """A server that says what it likes, to one client."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._answer = answer
        self.start()

    def run(self):
        with self._listener, self._listener.accept()[0] as client:
            client.settimeout(20)
            try:
                self._answer(client)
                while client.recv(65536):
                    pass
            except OSError:
                pass


def reply(client, result):
    """Answer the request that arrives."""
    text = b""
    while text.count(b"{") == 0 or text.count(b"{") != text.count(b"}"):
        text += client.recv(65536)
    answer = {"id": json.loads(text)["id"], "error": None, "result": result}
    client.sendall(json.dumps(answer).encode())


def not_leading(client):
    columns = {"name": {}, "model": {}, "connected": {}, "leader": {}, "schema": {}}
    reply(client, {"tables": {"Database": {"columns": columns}}})
    row = {"name": "Open_vSwitch", "model": "clustered", "schema": "{}"}
    row |= {"connected": True, "leader": False}
    reply(
        client, {"Database": {"00000000-0000-0000-0000-000000000001": {"initial": row}}}
    )


@pytest.mark.parametrize(
    "answer",
    [
        lambda client: client.sendall(b"garbage"),
        lambda client: client.sendall(b"[" * 100000),
        lambda client: client.sendall(b'{"id":0,"result":"\xff","error":null}'),
        lambda client: client.shutdown(socket.SHUT_RDWR),
        not_leading,
    ],
    ids=["garbage", "depth", "encoding", "end", "not-leading"],
)
def test_a_server_of_no_use_is_left(built, run_dir, answer):
    impostor = Impostor(run_dir / "sock", answer)
    done = run_dir.run([built / "list-bridges", f"unix:{run_dir.path}/sock"])
    assert done.status == 1
    assert done.err.startswith(f"unix:{run_dir.path}/sock: ")
    assert "Sanitizer" not in done.err
    impostor.join(5)
    assert not impostor.is_alive()


def test_an_installed_library_is_found_by_pkg_config(built, switch, tmp_path):
    """Programs need only what pkg-config says; nothing else is exported."""
    root = tmp_path / "root"
    built.make("install", f"DESTDIR={root}")
    env = {
        **os.environ,
        "PKG_CONFIG_PATH": f"{root}/usr/lib/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": str(root),
    }
    words = ["pkg-config", "--cflags", "--libs", "ovsdb-client"]
    flags = run(words, env=env).split()
    program = tmp_path / "program"
    run(
        [
            *("gcc", "-std=c11", *SANITIZE, "-o", program, f"-I{built.path}"),
            *(LIBRARY / "examples" / "list-bridges.c", built / "vswitch-idl.o"),
            *flags,
        ]
    )
    env = {**os.environ, "LD_LIBRARY_PATH": f"{root}/usr/lib"}
    assert run([program, switch.remote], env=env).startswith("br0\n")
    library = root / "usr/lib/libovsdb-client.so.1"
    assert "SONAME" in run(["readelf", "-d", library])
    exported = run(["nm", "-D", "--defined-only", library]).split()[2::3]
    assert "ovsdb_idl_create" in exported
    own = ("ovsdb_", "smap_", "uuid_", "_", "__")
    assert [name for name in exported if not name.startswith(own)] == []
    script = (root / "usr/bin/ovsdb-idlc").read_text()
    assert script.endswith('/usr/share/ovsdb-client/idlc "$@"\n')
    assert (root / "usr/share/ovsdb-client/idlc/__main__.py").exists()


def test_it_compiles_without_openssl():
    includes = [f"-I{path}" for path in INCLUDES]
    words = ["gcc", "-std=c11", "-D_GNU_SOURCE", *WARNINGS, "-fsyntax-only"]
    run([*words, *includes, LIBRARY / "src" / "stream-ssl.c"])


# The generator.


def syntax_check(folder, header, source):
    compile_c = ["gcc", "-std=c11", *WARNINGS, "-Wpedantic", "-fsyntax-only"]
    run([*compile_c, f"-I{LIBRARY}/include", source], cwd=folder)
    if shutil.which("g++"):
        words = ["g++", "-x", "c++", "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
        run([*words, f"-I{LIBRARY}/include", header], cwd=folder)


@pytest.mark.parametrize(
    "schema",
    [
        SCHEMA.with_name("_server.ovsschema"),
        pytest.param(
            VTEP, marks=pytest.mark.skipif(not VTEP.exists(), reason="no vtep")
        ),
    ],
    ids=lambda path: path.stem,
)
def test_accessors_compile_in_c_and_their_header_in_cpp(schema, tmp_path):
    header, source = tmp_path / "x-idl.h", tmp_path / "x-idl.c"
    header.write_text(idlc("c-idl-header", schema, "--prefix=x_"))
    source.write_text(idlc("c-idl-source", schema, "--prefix=x_", "--include=x-idl.h"))
    syntax_check(tmp_path, header, source)


def test_annotations_name_prefix_and_header(tmp_path):
    annotations = tmp_path / "vswitch-idl.ann"
    annotations.write_text(
        's["idlPrefix"] = "ovsrec_"\ns["idlHeader"] = "<lib/vswitch-idl.h>"\n'
    )
    annotated = tmp_path / "vswitch.ovsidl"
    annotated.write_text(idlc("annotate", SCHEMA, annotations))
    assert "struct ovsrec_bridge {\n" in idlc("c-idl-header", annotated)
    source = idlc("c-idl-source", annotated)
    assert "#include <lib/vswitch-idl.h>\n" in source


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("[]", "not a database schema"),
        ("{", "Expecting property name"),
        (
            '{"name": "X", "tables": {"T": {"columns": {"c": {"type": "number"}}}}}',
            "bad base type",
        ),
        (
            '{"name": "X", "tables": {"T": {"columns": {"c": {"type": {"key": '
            '{"type": "uuid", "refTable": "U"}}}}}}}',
            "refers to U, which isn't there",
        ),
    ],
)
def test_bad_schemas_are_refused(schema, message, tmp_path):
    path = tmp_path / "schema"
    path.write_text(schema)
    done = subprocess.run(
        [sys.executable, "-B", LIBRARY / "idlc", "c-idl-header", path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr
