-- Rows of every table, zone by zone.
%{ for index, table in tables ~}
%{ if index > 0 ~}
UNION ALL
%{ endif ~}
SELECT '${table.zone}' AS zone, '${table.name}' AS table_name, count(*) AS row_count FROM "${table.database}"."${table.name}"
%{ endfor ~}
