-- What has landed from each source, and when the last of it came.
SELECT
  source,
  count(*) AS files,
  sum(lines) AS lines,
  sum(landed) AS landed,
  sum(rejected) AS rejected,
  sum(duplicate) AS duplicate,
  sum(nulled_values) AS nulled_values,
  max(arrived_at) AS last_arrival
FROM "${landing}"."landed_files"
GROUP BY source
ORDER BY source
