-- One output row for each input row: judged.*, verdict, reasons, redacted_text.
--
-- redacted_text, where it is not NULL, is written in place of the text: the same text without its
-- personal information.
-- verdict: quarantine > drop > review > keep; NULL (also from a misspelt parameter) is quarantine.
-- reasons: List<Struct{rule, clause, detail}>; NULL elements are left out by the job.
-- Clause ids come from pack.toml as $clause_<rule>, the other parameters from [parameters].
WITH checked AS (
    SELECT
        judged.*,
        gate.verdict AS gate_verdict,
        gate.n AS gate_n,
        gate.harmful AS gate_harmful,
        gate.rate AS gate_rate,
        gate.unreadable_units AS gate_unreadable,
        -- Content
        text IS NULL AS text_missing,
        text IS NOT NULL AND harm['score'] IS NULL AS harm_unscored,
        coalesce(cardinality(harm['risks']) > 0, false) AS harm_found,
        -- Source gate
        gate.verdict IS NULL AS gate_missing,
        gate.verdict IS NOT DISTINCT FROM 'reject' AS gate_rejected,
        gate.verdict IS NOT DISTINCT FROM 'undecided' AS gate_undecided,
        -- Source evidence
        source['verdict'] = 'missing' AS source_missing,
        source['verdict'] = 'deny' AS source_denied,
        -- The contract also has to have been in force when the row was collected.
        source_at_collection['verdict'] = 'deny'
            AND array_has_any(source_at_collection['missing'],
                make_array('contract_valid_from', 'contract_valid_to')) AS contract_denied_then,
        -- The time of collection is mapped, but not known of this row.
        contracted AND source_at_collection['verdict'] = 'missing' AS contract_unknown_then,
        -- Licence: what the row states, and what the registry states for its source; the worse of
        -- them counts. A contract that holds goes before the source's. Where the mode has its own
        -- proof (contract, collection record, authorisation), no licence at all is not a finding; one
        -- that nobody can read always is.
        license['verdict'] = 'deny' AS row_license_denied,
        source_license['verdict'] = 'deny' AND NOT contracted AS source_license_denied,
        license['verdict'] = 'review' AS row_license_unclear,
        source_license['verdict'] = 'review' AND NOT contracted AS source_license_unclear,
        license['verdict'] = 'missing'
            AND (coalesce(license_raw, source['license']) IS NOT NULL
                OR coalesce(source['acquisition_mode'], 'open_source') = 'open_source') AS row_license_missing,
        source_license['verdict'] = 'missing' AND source['license'] IS NOT NULL
            AND NOT contracted AS source_license_missing,
        coalesce(license_conflict, false) AS license_contradicted,
        -- Opt-out signals. A contract that holds is agreed with the supplier and goes before them.
        opt_out['verdict'] = 'disallowed' AND NOT contracted AS opted_out,
        opt_out['verdict'] = 'conditional' AND NOT contracted AS opted_out_conditionally,
        coalesce(opt_out['verdict'], 'unknown') = 'unknown'
            AND coalesce(source['acquisition_mode'], '') = 'self_collected' AS opt_out_unknown,
        -- Blocked information
        coalesce(blocked['verdict'], '') = 'listed' AS listed,
        -- Personal information in the text: consent of the person it is about, a separate one where
        -- it is sensitive, a guardian's where it is about a minor. Only the row's subject can have
        -- given it.
        coalesce(pii['personal'], false) AND NOT (has_subject AND consent['status'] IN ('granted', 'separate', 'guardian'))
            AS pii_without_consent,
        coalesce(pii['personal'], false) AND coalesce(cardinality(pii['sensitive']) > 0, false)
            AND has_subject AND consent['status'] = 'granted' AS pii_without_separate_consent,
        coalesce(array_has(pii['sensitive'], 'minor'), false)
            AND has_subject AND consent['status'] IN ('granted', 'separate') AS pii_without_guardian,
        -- Consent
        (user_input OR has_subject) AND consent['status'] = 'missing' AS consent_missing,
        (user_input OR has_subject) AND consent['status'] = 'withdrawn' AS consent_withdrawn,
        (user_input OR has_subject) AND consent['status'] = 'expired' AS consent_expired,
        (user_input OR has_subject) AND consent['status'] = 'refused' AS consent_refused
    FROM (
        SELECT
            judged.*,
            coalesce(source['acquisition_mode'], '') = 'user_input' AS user_input,
            coalesce(source['acquisition_mode'], '') = 'commercial'
                AND coalesce(source['verdict'], '') = 'allow' AS contracted
        FROM judged
    ) AS judged
    LEFT JOIN source_assessment AS gate ON judged.source_id = gate.source_id
),
decided AS (
    SELECT
        checked.*,
        make_array(
            CASE WHEN text_missing THEN 'quarantine' ELSE 'keep' END,
            CASE WHEN harm_unscored THEN 'quarantine' ELSE 'keep' END,
            CASE WHEN gate_missing THEN 'quarantine' ELSE 'keep' END,
            CASE WHEN gate_rejected THEN 'drop' ELSE 'keep' END,
            CASE WHEN gate_undecided THEN $source_undecided_verdict ELSE 'keep' END,
            CASE WHEN harm_found THEN 'drop' ELSE 'keep' END,
            CASE WHEN source_missing OR contract_unknown_then THEN $source_missing_verdict ELSE 'keep' END,
            CASE WHEN source_denied OR contract_denied_then THEN 'drop' ELSE 'keep' END,
            CASE WHEN row_license_denied OR source_license_denied THEN 'drop' ELSE 'keep' END,
            CASE WHEN row_license_unclear OR source_license_unclear THEN $license_review_verdict ELSE 'keep' END,
            CASE WHEN row_license_missing OR source_license_missing THEN $license_missing_verdict ELSE 'keep' END,
            CASE WHEN license_contradicted THEN $license_conflict_verdict ELSE 'keep' END,
            CASE WHEN listed OR opted_out THEN 'drop' ELSE 'keep' END,
            CASE WHEN opted_out_conditionally THEN $opt_out_conditional_verdict ELSE 'keep' END,
            CASE WHEN opt_out_unknown THEN $opt_out_unknown_verdict ELSE 'keep' END,
            CASE WHEN (pii_without_consent OR pii_without_separate_consent OR pii_without_guardian)
                    AND $pii_without_consent <> 'redact'
                THEN $pii_without_consent ELSE 'keep' END,
            CASE WHEN consent_missing THEN $consent_missing_verdict ELSE 'keep' END,
            CASE WHEN consent_withdrawn OR consent_expired OR consent_refused THEN 'drop' ELSE 'keep' END
        ) AS verdicts
    FROM checked
)
SELECT
    decided.*,
    CASE
        WHEN array_has(verdicts, 'quarantine') THEN 'quarantine'
        WHEN array_has(verdicts, 'drop') THEN 'drop'
        WHEN array_has(verdicts, 'review') THEN 'review'
        WHEN cardinality(array_distinct(verdicts)) = 1 AND verdicts[1] = 'keep' THEN 'keep'
    END AS verdict,
    make_array(
        CASE WHEN text_missing THEN named_struct(
            'rule', 'text_missing', 'clause', $clause_text_missing, 'detail', 'no text') END,
        CASE WHEN harm_unscored THEN named_struct(
            'rule', 'harm_unscored', 'clause', $clause_harm_unscored, 'detail', 'no harm score') END,
        CASE WHEN gate_missing THEN named_struct(
            'rule', 'source_undecided', 'clause', $clause_source_undecided, 'detail', 'source not assessed') END,
        CASE WHEN gate_rejected THEN named_struct(
            'rule', 'source_rate', 'clause', $clause_source_rate,
            'detail', concat(gate_harmful, ' of ', gate_n, ' rows harmful (',
                round(gate_rate * 100, 2), ' %), limit ', round($gate_limit * 100, 2), ' %')) END,
        CASE WHEN gate_undecided AND gate_unreadable > 0 THEN named_struct(
            'rule', 'source_unreadable_units', 'clause', $clause_source_unreadable_units,
            'detail', concat(gate_unreadable, ' units of the source could not be read')) END,
        CASE WHEN gate_undecided AND gate_unreadable = 0 THEN named_struct(
            'rule', 'source_undecided', 'clause', $clause_source_undecided,
            'detail', concat(gate_harmful, ' of ', gate_n, ' rows harmful')) END,
        CASE WHEN source_missing THEN named_struct(
            'rule', 'source_unknown',
            'clause', coalesce(nullif(array_to_string(array_distinct(source['clauses']), '; '), ''), $clause_source_unknown),
            'detail', concat('missing: ', array_to_string(source['missing'], ', '))) END,
        CASE WHEN source_denied THEN named_struct(
            'rule', 'source_expired',
            'clause', coalesce(nullif(array_to_string(array_distinct(source['clauses']), '; '), ''), $clause_source_expired),
            'detail', concat('not in force: ', array_to_string(source['missing'], ', '))) END,
        CASE WHEN contract_denied_then AND NOT source_denied THEN named_struct(
            'rule', 'source_expired',
            'clause', array_to_string(array_distinct(source_at_collection['clauses']), '; '),
            'detail', concat('not in force when collected: ',
                array_to_string(source_at_collection['missing'], ', '))) END,
        CASE WHEN contract_unknown_then AND NOT source_missing THEN named_struct(
            'rule', 'source_expired', 'clause', $clause_source_expired,
            'detail', 'missing: collected_at, at which the contract has to be in force') END,
        CASE WHEN listed THEN named_struct(
            'rule', 'blocked', 'clause', $clause_blocked,
            'detail', concat('on the block list by its ', blocked['kind'])) END,
        CASE WHEN opted_out THEN named_struct(
            'rule', 'opt_out_disallowed', 'clause', $clause_opt_out_disallowed,
            'detail', concat(coalesce(opt_out['signals'][1]['signal'], 'a signal'),
                ' (', coalesce(opt_out['signals'][1]['value'], 'unknown'), ') forbids it, snapshot sha256 ',
                coalesce(opt_out['signals'][1]['sha256'], 'unknown'))) END,
        CASE WHEN opt_out_unknown THEN named_struct(
            'rule', 'opt_out_unknown', 'clause', $clause_opt_out_unknown,
            'detail', CASE
                WHEN url IS NULL THEN 'missing: url'
                WHEN collected_at IS NULL THEN 'missing: collected_at'
                ELSE 'missing: a snapshot of the site that shows the collection was allowed' END) END,
        CASE WHEN row_license_denied OR source_license_denied THEN named_struct(
            'rule', 'license_denied', 'clause', $clause_license_denied,
            'detail', CASE WHEN row_license_denied THEN license['reason']
                ELSE concat('licence of the source: ', source_license['reason']) END) END,
        CASE WHEN row_license_missing OR source_license_missing THEN named_struct(
            'rule', 'license_missing', 'clause', $clause_license_missing,
            'detail', CASE WHEN row_license_missing THEN license['reason']
                ELSE concat('licence of the source: ', source_license['reason']) END) END,
        CASE WHEN license_contradicted THEN named_struct(
            'rule', 'license_conflict', 'clause', $clause_license_conflict,
            -- A reference is whatever somebody wrote: it may hold a name.
            'detail', concat('the text holds ',
                CASE WHEN replace(license_found['spdx'], 'LicenseRef-tamis-', '') LIKE '%Ref-%'
                    THEN 'a licence reference' ELSE license_found['spdx'] END,
                ', stated is ',
                CASE WHEN replace(license['spdx'], 'LicenseRef-tamis-', '') LIKE '%Ref-%'
                    THEN 'a licence reference' ELSE coalesce(license['spdx'], 'no known licence') END)) END,
        CASE WHEN opted_out_conditionally THEN named_struct(
            'rule', 'opt_out_conditional', 'clause', $clause_opt_out_conditional,
            'detail', concat(coalesce(opt_out['signals'][1]['signal'], 'a signal'),
                ' allows it under conditions, snapshot sha256 ',
                coalesce(opt_out['signals'][1]['sha256'], 'unknown'))) END,
        CASE WHEN consent_withdrawn THEN named_struct(
            'rule', 'consent_withdrawn', 'clause', $clause_consent_withdrawn, 'detail', 'consent withdrawn') END,
        CASE WHEN consent_refused THEN named_struct(
            'rule', 'consent_refused', 'clause', $clause_consent_refused, 'detail', 'consent refused') END,
        CASE WHEN consent_expired THEN named_struct(
            'rule', 'consent_expired', 'clause', $clause_consent_expired, 'detail', 'consent expired') END,
        CASE WHEN consent_missing THEN named_struct(
            'rule', 'consent_missing', 'clause', $clause_consent_missing, 'detail', 'no consent on record') END,
        CASE WHEN pii_without_consent THEN named_struct(
            'rule', 'pii_without_consent', 'clause', $clause_pii_without_consent,
            'detail', concat(array_to_string(pii['kinds'], ', '), CASE $pii_without_consent
                WHEN 'redact' THEN ': redacted' ELSE '' END)) END,
        CASE WHEN pii_without_separate_consent AND NOT pii_without_guardian THEN named_struct(
            'rule', 'pii_without_separate_consent', 'clause', $clause_pii_without_separate_consent,
            'detail', concat('sensitive: ', array_to_string(pii['sensitive'], ', '), CASE $pii_without_consent
                WHEN 'redact' THEN ': redacted' ELSE '' END)) END,
        CASE WHEN pii_without_guardian THEN named_struct(
            'rule', 'pii_without_guardian', 'clause', $clause_consent_guardian,
            'detail', concat(array_to_string(pii['kinds'], ', '), CASE $pii_without_consent
                WHEN 'redact' THEN ': redacted' ELSE '' END)) END,
        CASE WHEN harm_found THEN named_struct(
            'rule', 'harm', 'clause', $clause_harm, 'detail', array_to_string(harm['risks'], ' ')) END,
        CASE WHEN row_license_unclear OR source_license_unclear THEN named_struct(
            'rule', 'license_review', 'clause', $clause_license_review,
            'detail', CASE WHEN row_license_unclear THEN license['reason']
                ELSE concat('licence of the source: ', source_license['reason']) END) END
    ) AS reasons,
    CASE WHEN (pii_without_consent OR pii_without_separate_consent OR pii_without_guardian)
            AND $pii_without_consent = 'redact'
        THEN redact_pii(text) END AS redacted_text
FROM decided
