-- The mix of the cleared data, one row a language and one ('*') for all of it.
--
-- Reads `kept`: source_id, acquisition_mode, origin_region, language, row_count, text_bytes, one row
-- for each of their combinations in data/. Result: the columns below; findings List<Struct{rule,
-- clause, detail}>, whose NULL elements are left out.
WITH levels AS (
    SELECT language, source_id, acquisition_mode, origin_region, row_count, text_bytes FROM kept
    UNION ALL
    SELECT '*' AS language, source_id, acquisition_mode, origin_region, row_count, text_bytes FROM kept
),
counted AS (
    SELECT
        language,
        count(DISTINCT source_id) AS sources,
        sum(row_count) AS row_count,
        sum(text_bytes) AS text_bytes,
        sum(CASE WHEN origin_region = 'cn' THEN row_count ELSE 0 END) AS rows_cn,
        sum(CASE WHEN origin_region = 'overseas' THEN row_count ELSE 0 END) AS rows_overseas,
        sum(CASE WHEN origin_region IN ('cn', 'overseas') THEN 0 ELSE row_count END) AS rows_unknown,
        sum(CASE WHEN origin_region = 'overseas' AND acquisition_mode = 'open_source'
            THEN row_count ELSE 0 END) AS rows_overseas_open_source
    FROM levels
    GROUP BY language
)
SELECT
    counted.*,
    make_array(
        CASE WHEN language <> '*' AND sources < $mix_min_sources THEN named_struct(
            'rule', 'mix_diversity', 'clause', $clause_mix_diversity,
            'detail', concat(sources, ' source, at least ', $mix_min_sources, ' wanted')) END,
        CASE WHEN language = '*' AND rows_overseas > 0 AND rows_cn = 0 THEN named_struct(
            'rule', 'mix_region', 'clause', $clause_mix_region,
            'detail', concat(rows_overseas, ' rows of overseas sources and none of domestic ones')) END,
        CASE WHEN language = '*' AND rows_overseas_open_source > $mix_overseas_open_source_max * row_count
            THEN named_struct(
            'rule', 'mix_region', 'clause', $clause_mix_region,
            'detail', concat(rows_overseas_open_source, ' of ', row_count,
                ' rows are overseas open-source data, at most ',
                round($mix_overseas_open_source_max * 100, 1), ' % wanted')) END,
        CASE WHEN language = '*' AND rows_unknown > $mix_unknown_region_max * row_count THEN named_struct(
            'rule', 'mix_region', 'clause', $clause_mix_region,
            'detail', concat(rows_unknown, ' of ', row_count, ' rows are of sources of unknown region')) END
    ) AS findings
FROM counted
ORDER BY language
