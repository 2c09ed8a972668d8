-- What has landed from each source, and when the last of it came. Without a source: files outside of the sources' folders.
SELECT
  source,
  count(*) FILTER (WHERE skipped IS NULL) AS file_versions,
  count(*) FILTER (WHERE skipped IS NOT NULL) AS skipped_files,
  sum(lines) AS lines,
  sum(landed) AS landed,
  sum(rejected) AS rejected,
  sum(duplicate) AS duplicate,
  sum(doubtful) AS doubtful,
  sum(without_address) AS without_address,
  sum(nulled_values) AS nulled_values,
  max(arrived_at) AS last_arrival
FROM "${landing}"."landed_files"
GROUP BY source
ORDER BY source
