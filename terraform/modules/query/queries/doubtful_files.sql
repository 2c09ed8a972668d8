-- Files with doubtful lines, or with lines that name nobody who is known: they may be refusals. The newest first.
SELECT source_file, sha256, arrived_at, unit, lines, doubtful, without_address
FROM "${landing}"."landed_files"
WHERE doubtful > 0 OR without_address > 0
ORDER BY arrived_at DESC, source_file
