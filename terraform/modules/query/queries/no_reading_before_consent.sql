-- Trusted readings of people without consent, or made before it. Expected: 0 in both columns of every row.
WITH owners AS (
  SELECT claims.serialnumber, min(customers.consent_start) AS consent_start
  FROM (SELECT DISTINCT serialnumber, email FROM "${landing}"."customer_landing" WHERE doubt IS NULL) AS claims
  JOIN "${curated}"."customers_curated" AS customers ON customers.email = claims.email
  GROUP BY claims.serialnumber
)
%{ for index, table in readings ~}
%{ if index > 0 ~}
UNION ALL
%{ endif ~}
%{ if table.whose == null ~}
SELECT '${table.name}' AS table_name, CAST(NULL AS bigint) AS without_consent, CAST(NULL AS bigint) AS before_consent
%{ else ~}
SELECT
  '${table.name}' AS table_name,
  count(*) FILTER (WHERE consent.consent_start IS NULL) AS without_consent,
  count(*) FILTER (WHERE readings."${table.at}" < consent.consent_start) AS before_consent
FROM "${table.database}"."${table.name}" AS readings
%{ if table.whose == "serialnumber" ~}
LEFT JOIN owners AS consent ON consent.serialnumber = readings.serialnumber
%{ else ~}
LEFT JOIN "${trusted}"."customer_trusted" AS consent ON consent.email = readings."${table.whose}"
%{ endif ~}
%{ endif ~}
%{ endfor ~}
