-- Files whose lines are not all landed, rejected, duplicate, suppressed or blank. Expected: no row.
SELECT files.source_file, files.lines, files.landed, files.rejected, files.duplicate, files.suppressed, files.blank,
  coalesce(records.rejected, 0) AS rejected_records
FROM "${landing}"."landed_files" AS files
LEFT JOIN (
  SELECT source_file, count(*) AS rejected FROM "${landing}"."rejected_records" GROUP BY source_file
) AS records ON records.source_file = files.source_file
WHERE files.lines <> files.landed + files.rejected + files.duplicate + files.suppressed + files.blank
  OR files.rejected <> coalesce(records.rejected, 0)
ORDER BY files.source_file
