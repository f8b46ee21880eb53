"""The Dockerfile: what it copies exists, what it installs is pinned by hash and suffices, and who runs is nobody special."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.metadata import distribution

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.compose.stack import PROJECT

DOCKERFILE = PROJECT / "docker" / "Dockerfile"
IMAGES = ("serve", "runtime", "demo")
IMAGE_PYTHON = {"python_version": "3.11", "python_full_version": "3.11.14"} | {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "implementation_name": "cpython",
    "os_name": "posix",
}


def instructions():
    """Name and rest of every instruction, continued lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text())
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def copied_from_the_repository():
    """Sources of COPY, with the argument filled in."""
    found = set()
    for name, rest in instructions():
        if name == "COPY" and "--from=" not in rest:
            words = [word for word in rest.split() if not word.startswith("--")]
            found |= {word.replace("${REQUIREMENTS}", image) for word in words[:-1] for image in IMAGES}
    return found


def pinned(name):
    """Version by package of a requirement file, for the Python of the images."""
    text = (PROJECT / "requirements" / f"{name}.txt").read_text()
    lines = [line.strip() for line in re.sub(r"\\\n", " ", text).splitlines()]
    found = {}
    for line in filter(None, lines):
        requirement = Requirement(line.split(" --hash")[0])
        assert "--hash=sha256:" in line, f"{name}.txt: {requirement.name} has no hash"
        if requirement.marker is None or requirement.marker.evaluate(IMAGE_PYTHON):
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            found[canonicalize_name(requirement.name)] = Version(specifier.version)
    return found


def test_every_source_that_is_copied_is_in_the_repository():
    assert copied_from_the_repository() >= {"driftmon", "pyproject.toml", *(f"requirements/{i}.txt" for i in IMAGES)}
    assert {source for source in copied_from_the_repository() if not (PROJECT / source).exists()} == set()


def test_the_build_context_has_what_is_copied_and_nothing_else():
    excepted = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    for source in copied_from_the_repository():
        assert any(re.fullmatch(pattern.replace(".", r"\.").replace("*", "[^/]*"), source) for pattern in excepted), (
            source
        )
    for pattern in excepted:
        assert any(
            re.fullmatch(pattern.replace(".", r"\.").replace("*", "[^/]*"), source)
            for source in copied_from_the_repository()
        )


def test_bases_are_pinned_to_one_python_of_which_the_tests_know():
    bases = {rest.split()[0] for name, rest in instructions() if name == "FROM"}

    (base,) = bases
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", base)
    assert base.removeprefix("python:").startswith(IMAGE_PYTHON["python_full_version"])


def test_the_last_word_on_the_user_is_a_number_that_is_not_root():
    stages = [index for index, (name, _) in enumerate(instructions()) if name == "FROM"]
    final = instructions()[stages[-1] :]

    users = [rest for name, rest in final if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    assert [name for name, _ in final][-2:] == ["USER", "CMD"]


def test_whatever_is_fetched_is_checked_by_its_hash():
    commands = [command for name, rest in instructions() if name == "RUN" for command in rest.split("&&")]
    installs = [shlex.split(command) for command in commands if " install " in command and "pip" in command]

    assert len(installs) == 3
    for words in installs:
        assert "--require-hashes" in words or {"--offline", "--no-deps"} <= set(words)
    assert not [command for command in commands if re.search(r"curl|wget|apt|git clone|https?:", command)]


def test_no_secret_takes_part_in_a_build():
    names = [rest for name, rest in instructions() if name in ("ARG", "ENV")]

    assert not [rest for rest in names if re.search(r"PASSWORD|SECRET|TOKEN|KEY", rest)]


@pytest.mark.parametrize("image", [*IMAGES, "build", "uv"])
def test_every_package_is_pinned_by_version_and_hash(image):
    assert pinned(image)


@pytest.mark.parametrize("image", ["serve", "runtime", "demo", "build"])
def test_images_have_the_versions_that_the_tests_run_with(image):
    tested = pinned("dev")

    assert {name: version for name, version in pinned(image).items() if tested.get(name) != version} == {}


def needed(requirements, environment):
    """Every distribution that these requirements come to, by what the installed ones say of themselves."""
    found, waiting = set(), [Requirement(line) for line in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in found:
            continue
        found.add(key)
        for line in distribution(name).requires or []:
            other = Requirement(line)
            extras = [*requirement.extras, ""]
            if other.marker is None or any(other.marker.evaluate(environment | {"extra": extra}) for extra in extras):
                waiting.append(other)
    return {name for name, _ in found}


EXTRAS = {"serve": ["postgres"], "demo": ["postgres"], "runtime": ["airflow", "notify", "postgres"]}


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_has_all_that_its_part_of_driftmon_asks_for(image):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"]]
    for extra in EXTRAS[image]:
        asked += project["project"]["optional-dependencies"][extra]
    if image == "demo":
        asked += project["dependency-groups"]["demo"]

    missing = needed(asked, default_environment() | IMAGE_PYTHON) - set(pinned(image))

    assert missing == set()


def test_what_builds_the_package_is_what_pyproject_asks_for():
    (builder,) = tomllib.loads((PROJECT / "pyproject.toml").read_text())["build-system"]["requires"]

    requirement = Requirement(builder)

    assert pinned("build")[requirement.name] in requirement.specifier


def test_the_exporter_does_without_airflow():
    assert not [name for name in pinned("serve") if "airflow" in name]
    assert len(pinned("serve")) < 40


def test_a_folder_that_a_volume_covers_belongs_to_the_user_of_the_image(stack):
    made = " ".join(rest for name, rest in instructions() if name == "RUN" and "install -d" in rest)
    for name, service in stack.services.items():
        if not service["image"].startswith("driftmon"):
            continue
        volumes = [mount["target"] for mount in service.get("volumes", []) if mount["type"] == "volume"]
        assert all(f" {target}" in made for target in volumes), name


def test_services_use_the_user_of_their_image(stack):
    (user,) = [rest for name, rest in instructions() if name == "USER"]

    users = {service["user"] for service in stack.services.values() if service["image"].startswith("driftmon")}

    assert users == {user}


def test_scripts_of_services_are_in_their_image(stack):
    scripts = {path.rpartition("/")[2] for path in copied_from_the_repository() if path.startswith("docker/")}
    for service in stack.services.values():
        if service["image"].startswith("driftmon"):
            named = [*(service.get("command") or []), *service.get("healthcheck", {}).get("test", [])]
            assert {word for word in named if re.fullmatch(r"[\w-]+\.(sh|py)", word)} <= scripts


def test_scripts_start_by_themselves():
    for path in (PROJECT / "docker").glob("*.[sp][hy]"):
        assert path.read_text().startswith("#!"), path
        assert path.stat().st_mode & 0o111, path
