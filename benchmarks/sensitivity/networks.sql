-- MODEL=FILE of every network of the sweep sensitivity_networks, as sensitivity_worth takes them.
SELECT r.model || '=' || CASE WHEN a.folder LIKE '/%' THEN '' ELSE 'results/' END || a.folder || '/' || f.path AS word
FROM sweep s
JOIN sweep_job j ON j.sweep_id = s.id AND j.requested AND NOT j.orphaned
JOIN job ON job.id = j.job_id
JOIN runs r ON r.key = job.key
JOIN attempt a ON a.id = job.attempt_id
JOIN artifact f ON f.attempt_id = a.id AND f.name = 'model'
WHERE s.name = 'sensitivity_networks' AND job.state = 'finished';
