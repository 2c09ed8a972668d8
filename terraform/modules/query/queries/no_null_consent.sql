-- Customers in trusted and curated without a consent. Expected: 0 in every row.
%{ for index, table in consents ~}
%{ if index > 0 ~}
UNION ALL
%{ endif ~}
SELECT '${table.name}' AS table_name, count(*) AS without_consent
FROM "${table.database}"."${table.name}"
WHERE sharewithresearchasofdate IS NULL OR consent_start IS NULL
%{ endfor ~}
