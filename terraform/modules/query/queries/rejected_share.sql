-- Which share of each file's lines was rejected, and why. The worst first. All versions of a file count together.
-- Only the first 10,000 rejected lines of a version have a reason here; landed_files counts all.
SELECT
  files.source,
  files.source_file,
  rejected.reason,
  rejected.rejected_column,
  count(*) AS rejected,
  files.lines,
  round(count(*) / CAST(files.lines AS double), 4) AS share
FROM (
  SELECT source, source_file, sum(lines) AS lines FROM "${landing}"."landed_files" GROUP BY source, source_file
) AS files
JOIN "${landing}"."rejected_records" AS rejected ON rejected.source_file = files.source_file
GROUP BY files.source, files.source_file, files.lines, rejected.reason, rejected.rejected_column
ORDER BY share DESC, files.source_file, rejected.reason
