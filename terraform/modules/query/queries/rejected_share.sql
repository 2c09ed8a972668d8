-- Which share of each file's lines was rejected, and why. The worst first.
SELECT
  files.source,
  files.source_file,
  rejected.reason,
  rejected.rejected_column,
  count(*) AS rejected,
  files.lines,
  round(count(*) / CAST(files.lines AS double), 4) AS share
FROM "${landing}"."landed_files" AS files
JOIN "${landing}"."rejected_records" AS rejected ON rejected.source_file = files.source_file
GROUP BY files.source, files.source_file, files.lines, rejected.reason, rejected.rejected_column
ORDER BY share DESC, files.source_file, rejected.reason
