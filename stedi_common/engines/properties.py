"""The Iceberg properties of every table, and the limits of its maintenance."""

from __future__ import annotations

from stedi_common.contracts import Contract

#: What compaction makes files of, in bytes, and how many small files or manifests are many.
TARGET_BYTES = 256 * 2**20
MANY_FILES = 5
MANY_MANIFESTS = 10


def table_properties(contract: Contract) -> dict[str, str]:
    """The Iceberg properties of a table, the same whoever makes it."""
    unmeasured = {f"write.metadata.metrics.column.{c.name}": "none" for c in contract.columns if c.is_personal}
    return {
        # Compare and swap: a commit that is not onto the head it was computed from is refused, never rebased.
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
        "stedi.owner": contract.owner,
        # A column bound in a manifest would outlive the person whose value it is (rule 14).
        **unmeasured,
    }
