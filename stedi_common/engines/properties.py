"""The Iceberg properties of every table, and the limits of its maintenance."""

from __future__ import annotations

from stedi_common.contracts import Contract

#: The name of the property that only tables of this package have, whichever project their contract is from.
OWNER = "stedi.owner"
#: The size of the files that compaction writes.
TARGET_FILE_BYTES = 256 * 2**20
#: Small files of a partition, or of an unpartitioned table, are compacted from this number on.
MIN_SMALL_FILES = 5
#: Manifests are rewritten from this number on.
MIN_MANIFESTS = 10


def table_properties(contract: Contract) -> dict[str, str]:
    """The Iceberg properties of a table, the same for both engines.

    Args:
        contract: the contract of the table.
    """
    unmeasured = {f"write.metadata.metrics.column.{c.name}": "none" for c in contract.columns if c.is_personal}
    return {
        # Compare and swap: a commit that is not onto the head it was computed from is rejected, never rebased.
        "commit.retry.num-retries": "0",
        # Append reads and byte-level erasure need files without delete files beside them.
        "write.delete.mode": "copy-on-write",
        "write.update.mode": "copy-on-write",
        "write.merge.mode": "copy-on-write",
        "write.distribution-mode": "none",
        "write.spark.fanout.enabled": "true",
        "write.parquet.compression-codec": "zstd",
        # Higher levels cost more time than they save bytes in readings.
        "write.parquet.compression-level": "1",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "20",
        "comment": contract.description,
        OWNER: contract.owner,
        # A column bound in a manifest would outlive the person whose value it is (rule 14).
        **unmeasured,
    }
