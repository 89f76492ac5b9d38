"""MinIO, an S3 that runs anywhere: a store as it is met on premises, with versions and conditional writes."""

from __future__ import annotations

from demo.embedded_s3 import HOST, free_port
from tests.runners import tools
from tests.runners.processes import START_SECONDS, Server, ServerProcess, serves_http


class MinIO(Server):
    """An S3 that keeps its objects in a folder, as many keep it on premises.

    Args:
        user, password: Its root's credentials: the access key id and the secret access key.
    """

    def __init__(self, user: str = "rekindle", password: str = "rekindle-tests") -> None:
        self.user, self.password = user, password

    @property
    def endpoint_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        self.port = free_port()
        environment = {
            "MINIO_ROOT_USER": self.user,
            "MINIO_ROOT_PASSWORD": self.password,
            "MINIO_BROWSER": "off",
            "MINIO_UPDATE": "off",
            "HOME": str(self.folder),
        }
        command = [tools.minio(), "server", self.folder / "data", "--address", f"{HOST}:{self.port}", "--quiet"]
        self.process = ServerProcess(command, self.folder / "minio.log", environment=environment)
        self.process.await_answer(lambda: serves_http(self.port, "/minio/health/ready"), START_SECONDS)

    @property
    def beam_flags(self) -> list[str]:
        """None: it is a store, not a runner."""
        return []
