-- The log only grows, so its size says whether it has changed.
SELECT count(*) FROM membership_log
