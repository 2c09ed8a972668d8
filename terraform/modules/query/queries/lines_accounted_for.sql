-- Files whose lines are not all landed, rejected, duplicate, suppressed or blank. Expected: no row.
-- All versions of a file count together. Of each version rejected_records has the first 10,000 rejected lines; before
-- version 0.3 it had all.
SELECT files.source_file, files.lines, files.landed, files.rejected, files.duplicate, files.suppressed, files.blank,
  coalesce(records.rejected, 0) AS rejected_records
FROM (
  SELECT source_file, sum(lines) AS lines, sum(landed) AS landed, sum(rejected) AS rejected, sum(duplicate) AS duplicate,
    sum(suppressed) AS suppressed, sum(blank) AS blank, sum(least(rejected, 10000)) AS rejected_rows,
    count(*) FILTER (WHERE lines <> landed + rejected + duplicate + suppressed + blank) AS unaccounted_versions
  FROM "${landing}"."landed_files"
  GROUP BY source_file
) AS files
LEFT JOIN (
  SELECT source_file, count(*) AS rejected FROM "${landing}"."rejected_records" GROUP BY source_file
) AS records ON records.source_file = files.source_file
WHERE files.unaccounted_versions > 0 OR coalesce(records.rejected, 0) NOT BETWEEN files.rejected_rows AND files.rejected
ORDER BY files.source_file
