-- PLACEHOLDER for a colleague's migration; dropped when the branches meet.
SELECT 1;
