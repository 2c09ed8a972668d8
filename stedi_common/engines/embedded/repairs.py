"""What `stedi check` and `stedi repair` do with the files of a table."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from contextlib import suppress

from pyiceberg.exceptions import NoSuchTableError

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.catalog import load_table
from stedi_common.engines.embedded.expiry import commit_expiry
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.embedded.verification import verify
from stedi_common.engines.protocol import Verified
from stedi_common.engines.storage.staging import Staging
from stedi_common.errors import LakeError
from stedi_common.lake import Lake, local_path


class EmbeddedRepairs:
    """Verifies and repairs the tables of a lake in a folder, whichever engine has written them."""

    def __init__(self, lake: Lake, catalog: LakeCatalog, staging: Staging) -> None:
        self._lake, self._catalog, self._staging = lake, catalog, staging

    def verify(self, contract: Contract, *, quick: bool = False) -> Verified | None:
        """Verify the files of a table: see `verification.verify`."""
        return verify(self._lake, self._catalog, contract, quick=quick)

    def expect_no_run(self) -> None:
        """Raise LakeError while another run is known to be writing to the lake."""
        self._staging.expect_alone()

    def drop(self, contract: Contract) -> None:
        """Remove the files of a table, and then the table from the catalog. If it is killed, a check finds the rest.

        Args:
            contract: the table's. Its rows must be computed from other tables: they are gone.
        """
        folder = local_path(self._lake.table_location(contract))
        # The folder itself may be a link to another disk.
        for each in folder.iterdir() if folder.exists() else ():
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()
        with suppress(NoSuchTableError):
            self._catalog.drop_table(self._lake.identifier(contract))

    def expire(self, contract: Contract, snapshots: Collection[int]) -> None:
        """Expire these snapshots.

        Args:
            contract: the table's.
            snapshots: their ids.

        Raises:
            LakeError: a branch or a tag is at one of them.
            CommitConflictError: another commit was made in between, or a branch or tag has come, gone or moved.
        """
        table = load_table(self._lake, self._catalog, contract)
        refs = sorted(name for name, ref in table.refs().items() if ref.snapshot_id in snapshots)
        if refs:
            raise LakeError(
                f"{contract.identifier}: expected snapshots that may expire, got one of the branch or tag {refs[0]}",
                hint="remove the branch or tag, then run the command again",
            )
        commit_expiry(self._catalog, contract, table, snapshots)
