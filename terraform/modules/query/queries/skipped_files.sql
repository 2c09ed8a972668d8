-- Files of the landing folder that were skipped, and why. The newest first.
SELECT skipped AS reason, source, source_file, bytes, modified_at, arrived_at
FROM "${landing}"."landed_files"
WHERE skipped IS NOT NULL
ORDER BY arrived_at DESC, source_file
