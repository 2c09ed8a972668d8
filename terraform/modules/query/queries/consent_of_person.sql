-- Under which consent did this person's rows get here? Put their email in the place of person@example.com.
-- source_file and source_line are where the record of that consent came in. No row: nobody who consents.
WITH person AS (SELECT lower(trim('person@example.com')) AS email),
consent AS (
  SELECT
    customers.email,
    customers.sharewithresearchasofdate,
    customers.consent_start,
    max_by(records.source_file, records.record_hash) AS source_file,
    max_by(records.source_line, records.record_hash) AS source_line,
    max_by(records.arrived_at, records.record_hash) AS arrived_at
  FROM "${trusted}"."customer_trusted" AS customers
  JOIN person ON person.email = customers.email
  JOIN "${landing}"."customer_landing" AS records
    ON records.email = customers.email
    AND records.lastupdatedate = customers.lastupdatedate
    AND records.sharewithresearchasofdate = customers.sharewithresearchasofdate
    AND records.doubt IS NULL
  GROUP BY customers.email, customers.sharewithresearchasofdate, customers.consent_start
),
devices AS (
  SELECT DISTINCT records.email, records.serialnumber
  FROM "${landing}"."customer_landing" AS records
  JOIN person ON person.email = records.email
  WHERE records.doubt IS NULL
),
readings AS (
%{ for index, table in [for table in readings : table if table.whose != null] ~}
%{ if index > 0 ~}
  UNION ALL
%{ endif ~}
%{ if table.whose == "serialnumber" ~}
  SELECT devices.email, '${table.name}' AS table_name, made."${table.at}" AS made_at
  FROM "${table.database}"."${table.name}" AS made
  JOIN devices ON devices.serialnumber = made.serialnumber
%{ else ~}
  SELECT person.email, '${table.name}' AS table_name, made."${table.at}" AS made_at
  FROM "${table.database}"."${table.name}" AS made
  JOIN person ON person.email = made."${table.whose}"
%{ endif ~}
%{ endfor ~}
),
policy AS (
  SELECT max_by(element_at(summary, 'stedi.policy'), committed_at) AS policy
  FROM "${trusted}"."accelerometer_trusted$snapshots"
  WHERE element_at(summary, 'stedi.policy') IS NOT NULL
)
SELECT
  consent.sharewithresearchasofdate AS consented_at,
  consent.consent_start,
  policy.policy,
  consent.source_file,
  consent.source_line,
  consent.arrived_at,
  readings.table_name,
  count(readings.made_at) AS row_count,
  min(readings.made_at) AS first_reading,
  max(readings.made_at) AS last_reading
FROM consent
CROSS JOIN policy
LEFT JOIN readings ON readings.email = consent.email
GROUP BY
  consent.sharewithresearchasofdate, consent.consent_start, policy.policy,
  consent.source_file, consent.source_line, consent.arrived_at, readings.table_name
ORDER BY readings.table_name
