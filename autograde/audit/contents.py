"""What an auditor's JupyterLab may do with files: read them."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from tornado.web import HTTPError


def refused() -> HTTPError:
    return HTTPError(403, "An auditor's place is for reading: nothing can be saved here.")


class ReadOnlyContents(AsyncLargeFileManager):
    """Jupyter's files without any way to write, rename or remove one."""

    def is_writable(self, path: str) -> bool:
        """Say of every file that it can only be read, so that JupyterLab doesn't even try."""
        return False

    async def save(self, model: Any, path: str = "") -> Any:
        raise refused()

    async def delete_file(self, path: str) -> Any:
        raise refused()

    async def rename_file(self, old_path: str, new_path: str) -> Any:
        raise refused()

    async def copy(self, from_path: str, to_path: str | None = None) -> Any:
        raise refused()

    async def create_checkpoint(self, path: str) -> Any:
        raise refused()

    async def restore_checkpoint(self, checkpoint_id: str, path: str) -> Any:
        raise refused()

    async def delete_checkpoint(self, checkpoint_id: str, path: str) -> Any:
        raise refused()
