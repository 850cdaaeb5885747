"""The containers match the commands, settings, queues and locks in the code, and have no unneeded privileges."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from command_line import parsed
from compose_file import COMPOSE, SERVICES, Service, environment, interpolated, mounts
from make_env import ROLES, Role
from paths import ROOT

from broker.queues import FINE_TUNING, HOUSEKEEPING, QUEUES, broker_settings
from core.settings import Settings
from storage.db.engine import parse_address

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
WORKERS = {name: service for name, service in OURS.items() if service["command"][0] == "worker"}
FINE_TUNERS = {name: service for name, service in WORKERS.items() if service["build"]["target"] == "train"}

# Settings that cannot be changed in the containers, with the reasons.
FIXED = {
    "TRAINING_PYTHON": "the image that trains has one Python",
    "PLAYGROUND_HOST": "the playground belongs to the demo",
    "PLAYGROUND_PORT": "the playground belongs to the demo",
    "TELEGRAM_TOKEN": "it is passed as a file",
    "ENCRYPTION_KEY": "it is passed as a file",
    "WEBHOOK_SECRET_FILE": "the bot keeps a secret in the database unless WEBHOOK_SECRET is given",
    "BROKER_URL_FILE": "Redis is reachable only on the internal network, so its URL has no password",
}


def settings_of(service: Service, monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    """Return the settings that a service's process reads."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment(service, **given).items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def test_the_services_are_the_expected_ones() -> None:
    others = {"postgres", "redis"}
    assert set(SERVICES) == {"migrate", "bot", "beat", "housekeeper", "worker", "worker-cpu"} | others
    assert set(SERVICES) - set(OURS) == others


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_an_existing_command(name: str) -> None:
    assert parsed(OURS[name]["command"]).command.name == OURS[name]["command"][-1 if name == "migrate" else 0]
    assert "entrypoint" not in OURS[name]


@pytest.mark.parametrize("name", [name for name in OURS if name != "migrate"])
def test_a_health_check_runs_existing_commands(name: str) -> None:
    kind, *words = OURS[name]["healthcheck"]["test"]
    commands = [line.split() for line in words[0].split(" && ")] if kind == "CMD-SHELL" else [words]
    assert kind in {"CMD", "CMD-SHELL"}
    for program, *command in commands:
        assert program == "thumbs"
        parsed(command)


def test_every_queue_is_consumed_in_every_profile() -> None:
    queues = {name: [queue.value for queue in parsed(s["command"]).params["queues"]] for name, s in WORKERS.items()}
    assert queues == {"housekeeper": [HOUSEKEEPING], "worker": [FINE_TUNING], "worker-cpu": [FINE_TUNING]}
    assert {HOUSEKEEPING, FINE_TUNING} == set(QUEUES)
    assert {name: SERVICES[name].get("profiles") for name in SERVICES} == dict.fromkeys(SERVICES) | {
        "worker": ["gpu"],
        "worker-cpu": ["cpu"],
    }


def test_exactly_one_scheduler_runs() -> None:
    beats = [
        name
        for name, service in OURS.items()
        if service["command"][0] == "beat" or parsed(service["command"]).params.get("beat")
    ]
    assert beats == ["beat"]
    assert "deploy" not in SERVICES["beat"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_only_settings_in_its_environment(name: str) -> None:
    names = set(OURS[name].get("environment", {}))
    assert names <= {field.upper() for field in Settings.model_fields}
    assert not names & set(FIXED)


def test_every_setting_can_be_changed_or_is_fixed_for_a_reason() -> None:
    given = {name for service in OURS.values() for name in service["environment"]}
    assert given | set(FIXED) == {field.upper() for field in Settings.model_fields}


def test_a_setting_has_the_same_value_in_all_services() -> None:
    for service in OURS.values():
        for name, value in service["environment"].items():
            assert {str(other["environment"][name]) for other in OURS.values() if name in other["environment"]} == {
                str(value)
            }, name


@pytest.mark.parametrize("name", OURS)
def test_settings_keep_their_defaults_except_those_for_containers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(OURS[name], monkeypatch)
    own = {
        "data_dir",
        "database_url",
        "broker_url",
        "artifact_store",
        "webhook_listen",
        "metrics_listen",
        "metrics_port",
    }
    changed = {
        field for field in Settings.model_fields if getattr(settings, field) != Settings.model_fields[field].default
    }
    assert {field for field in changed if not field.endswith("_file")} <= own


@pytest.mark.parametrize("name", ["bot", *WORKERS])
def test_settings_of_the_environment_reach_the_services(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(OURS[name], monkeypatch, ADMIN_IDS="7, 8", FEEDBACK_QUORUM="3", LOG_LEVEL="debug")
    assert (settings.admin_ids, settings.feedback_quorum, settings.log_level) == ((7, 8), 3, "DEBUG")


@pytest.mark.parametrize("name", OURS)
def test_a_service_waits_for_the_database_and_the_broker(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    service = OURS[name]
    settings = settings_of(service, monkeypatch)
    waits = {other: how["condition"] for other, how in service["depends_on"].items()}
    if settings.database_url is not None:
        address = parse_address(settings.database_url)
        postgres = environment(SERVICES["postgres"])
        assert address.host == "postgres"
        assert (address.username, address.database) == (postgres["POSTGRES_USER"], postgres["POSTGRES_DB"])
        assert str(settings.database_password_file) == postgres["POSTGRES_PASSWORD_FILE"]
        needed = "postgres" if name == "migrate" else "migrate"
        assert waits[needed] == ("service_healthy" if name == "migrate" else "service_completed_successfully")
    if settings.broker_url is not None:
        assert broker_settings(settings)["broker_url"].startswith("redis://redis:")
        assert waits["redis"] == "service_healthy"
    assert set(service["networks"]) >= {"inside"}


@pytest.mark.parametrize("name", ["bot", *WORKERS])
def test_only_workers_can_write_to_the_shared_store(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(OURS[name], monkeypatch)
    assert mounts(OURS[name])[settings.store_address] == ("models", name != "bot")
    source, writable = mounts(OURS[name])[str(settings.data_dir)]
    assert writable
    assert source in COMPOSE["volumes"]


def test_imdb_is_mounted_at_imdb_path(monkeypatch: pytest.MonkeyPatch) -> None:
    for service in FINE_TUNERS.values():
        settings = settings_of(service, monkeypatch, IMDB_FOLDER="/srv/aclImdb")
        assert mounts(service, IMDB_FOLDER="/srv/aclImdb")[str(settings.imdb_path)] == ("/srv/aclImdb", False)
        assert settings_of(service, monkeypatch).imdb_path is None
        assert mounts(service)["/imdb"][0] in COMPOSE["volumes"]


def test_the_fine_tuning_workers_differ_only_in_image_and_gpu() -> None:
    own = {"profiles", "image", "build", "deploy"}
    gpu, cpu = FINE_TUNERS["worker"], FINE_TUNERS["worker-cpu"]
    assert {key: value for key, value in gpu.items() if key not in own} == {
        key: value for key, value in cpu.items() if key not in own
    }
    (device,) = gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device["driver"] == "nvidia"
    assert "gpu" in device["capabilities"]
    assert "deploy" not in cpu
    assert gpu["image"] != cpu["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_needless_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices", "env_file"}
    assert service.get("user", "thumbs" if name in OURS else "root") not in {"root", "0"}
    assert "healthcheck" in service or name == "migrate"
    assert re.fullmatch(r"[0-9]+[mg]", service["mem_limit"])
    assert service["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_the_bot_has_memory_for_two_models_the_size_of_bert_base() -> None:
    # Each takes about 450 MB while it answers, and the program about 200 MB.
    assert int(SERVICES["bot"]["mem_limit"].removesuffix("g")) * 1024 >= 2 * 450 + 200 + 400


def test_only_the_bot_publishes_a_port_and_only_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["bot"]
    assert {name for name, service in SERVICES.items() if service["networks"] == ["inside"]} == {
        "postgres",
        "redis",
        "migrate",
        "beat",
    }
    (port,) = SERVICES["bot"]["ports"]
    settings = settings_of(SERVICES["bot"], monkeypatch)
    assert interpolated(port, {}) == f"127.0.0.1:{settings.webhook_port}:{settings.webhook_port}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_gets_only_the_secrets_that_it_reads(name: str) -> None:
    files = {value for key, value in environment(SERVICES[name]).items() if key.endswith("_FILE")}
    assert files == {f"/run/secrets/{secret}" for secret in SERVICES[name].get("secrets", [])}


def test_secrets_are_files_that_git_and_the_images_exclude() -> None:
    for name, secret in COMPOSE["secrets"].items():
        assert secret == {"file": f"./secrets/{name}"}
    assert "secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert IGNORED[1] == "*"
    assert not {"!secrets", "!.env", "!.git"} & set(IGNORED)


def test_every_volume_network_and_secret_is_declared_and_used() -> None:
    for kind in ("networks", "secrets"):
        used = {name for service in SERVICES.values() for name in service.get(kind, [])}
        assert used == set(COMPOSE[kind])
    used = {source for service in SERVICES.values() for source, _ in mounts(service).values()}
    assert used == set(COMPOSE["volumes"])


def test_an_image_contains_every_room_and_the_files_it_reads() -> None:
    taken = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "tests"}
    assert taken == rooms | {"models", "requirements", "pyproject.toml", "README.md", "LICENSE"}


def stages() -> dict[str, tuple[str, str]]:
    """Return the Dockerfile's stages by name, each with its base and lines."""
    parts = re.split(r"^FROM (\S+) AS (\S+)\n", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name: (origin, lines) for origin, name, lines in zip(*[iter(parts)] * 3, strict=True)}


def all_lines(stage: str) -> str:
    """Return a stage's lines, after those of the stages that it is based on."""
    found = stages()
    if stage not in found:
        return ""
    origin, lines = found[stage]
    return all_lines(origin) + lines


def image_role(service: Service) -> Role:
    """Return the role in ``requirements/make_env.py`` that matches a service's image."""
    return ROLES[service["build"].get("args", {}).get("TRAINING", service["build"]["target"])]


@pytest.mark.parametrize("name", OURS)
def test_an_image_installs_the_hashed_locks_of_its_role(name: str) -> None:
    lines = all_lines(OURS[name]["build"]["target"])
    for argument, value in OURS[name]["build"].get("args", {}).items():
        assert f"ARG {argument}=" in lines
        lines = lines.replace(f"${{{argument}}}", value)
    (install,) = re.findall(r"^RUN pip install (.*--require-hashes.*)$", lines, re.MULTILINE)
    assert re.findall(r"-r requirements/(\S+)", install) == list(image_role(OURS[name]).locks)
    copied = {
        source for line in re.findall(r"^COPY (requirements/.*) \S+$", lines, re.MULTILINE) for source in line.split()
    }
    assert {f"requirements/{lock}" for lock in image_role(OURS[name]).locks} <= copied
    assert "--no-deps" in install


@pytest.mark.parametrize("target", sorted({service["build"]["target"] for service in OURS.values()}))
def test_an_image_runs_as_a_user_who_owns_only_the_data(target: str) -> None:
    lines = all_lines(target)
    user, entry = lines.index("\nUSER thumbs\n"), lines.index('\nENTRYPOINT ["thumbs"]\n')
    assert user < entry
    assert "USER root" not in lines
    (owned,) = re.findall(r"install --directory --owner=thumbs --group=thumbs --mode=0700 (.*)$", lines, re.MULTILINE)
    assert owned.split() == ["/data", "/store"]
    # The starter's path is stored in the database, so it must be the same in all containers.
    assert "\nWORKDIR /app\n" in lines
    assert (ROOT / Settings.model_fields["model"].default).is_dir()


def test_services_with_the_same_image_build_it_the_same_way() -> None:
    builds = {(service["image"], json.dumps(service["build"], sort_keys=True)) for service in OURS.values()}
    assert len(builds) == len({image for image, _ in builds})
    assert {service["build"]["target"] for service in OURS.values()} <= stages().keys()


def compose_program() -> list[str] | None:
    """Return the Docker Compose command, as a plugin or standalone, or None if Compose is not installed."""
    for program in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(program[0])
            and subprocess.run([*program, "version"], capture_output=True, check=False).returncode == 0
        ):
            return program
    return None


def test_docker_compose_parses_the_file_as_this_test_does(tmp_path: Path) -> None:
    program = compose_program()
    if program is None:
        pytest.skip("Docker Compose is not installed")
    (tmp_path / "none.env").touch()
    command = [*program, "--env-file", str(tmp_path / "none.env"), "--file", str(ROOT / "docker-compose.yml")]
    result = subprocess.run(
        [*command, "--profile", "gpu", "--profile", "cpu", "config"],
        env={"PATH": str(Path(shutil.which(program[0]) or "").parent), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    read = yaml.safe_load(result.stdout)["services"]
    assert read.keys() == SERVICES.keys()
    for name, service in SERVICES.items():
        assert read[name].get("command") == service.get("command")
        found = {key: "" if value is None else str(value) for key, value in read[name].get("environment", {}).items()}
        assert found == environment(service)
