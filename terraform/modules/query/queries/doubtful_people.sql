-- People who are out of research because of a doubtful line, and of whom no customer record has arrived since. The newest first.
WITH records AS (
  SELECT email, max(arrived_at) AS arrived_at
  FROM "${landing}"."customer_landing"
  WHERE doubt IS NULL
  GROUP BY email
)
SELECT doubts.email, doubts.doubt, doubts.source_file, doubts.source_line, doubts.arrived_at
FROM "${landing}"."customer_landing" AS doubts
LEFT JOIN records ON records.email = doubts.email AND records.arrived_at > doubts.arrived_at
WHERE doubts.doubt IS NOT NULL AND records.email IS NULL
ORDER BY doubts.arrived_at DESC, doubts.email, doubts.source_file, doubts.source_line
