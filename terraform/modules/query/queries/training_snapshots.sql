-- The snapshots of the training pairs: name one by FOR VERSION AS OF, and a training run can be repeated while it is kept.
-- A job's commit is two snapshots, its pairs and then its counts: of these the second.
SELECT snapshot_id, committed_at, operation,
  element_at(summary, 'stedi.policy') AS policy,
  element_at(summary, 'total-records') AS pairs
FROM "${curated}"."machine_learning_curated$snapshots"
WHERE element_at(summary, 'stedi.policy') IS NULL OR element_at(summary, 'stedi.run') IS NOT NULL
ORDER BY committed_at DESC
