"""The Iceberg properties of every table, and the limits of its maintenance."""

from __future__ import annotations

from stedi_common.contracts import Contract

#: The size of the files that compaction writes.
TARGET_FILE_BYTES = 256 * 2**20
#: So many small files of a day, or of a table without days, are compacted; fewer stay.
MIN_SMALL_FILES = 5
#: So many manifests are rewritten; fewer stay.
MIN_MANIFESTS = 10


def table_properties(contract: Contract) -> dict[str, str]:
    """The Iceberg properties of a table, the same whoever makes it."""
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
        "stedi.owner": contract.owner,
        # A column bound in a manifest would outlive the person whose value it is (rule 14).
        **unmeasured,
    }
