-- The source gate's flag of every row, on unfiltered input, unit by unit.
--
-- Result: source_id, harmful (Boolean; NULL counts as harmful: a row that could not be scored).
-- The job counts rows and harmful rows of each source over all units, applies
-- source_verdict(harmful, gate.limit, gate.mode) and fixes the result as source_assessment.
SELECT
    source_id,
    array_has_any(harm['risks'], $gate_risks) AS harmful
FROM judged
