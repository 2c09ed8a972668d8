-- Customers in trusted and curated without a consent. Expected: 0 in every row.
SELECT 'customer_trusted' AS table_name, count(*) AS without_consent
FROM "${trusted}"."customer_trusted"
WHERE sharewithresearchasofdate IS NULL OR consent_start IS NULL
UNION ALL
SELECT 'customers_curated', count(*)
FROM "${curated}"."customers_curated"
WHERE sharewithresearchasofdate IS NULL OR consent_start IS NULL
