"""The gates: what entered through the feed, and what devices delivered.

A rule that fails is a warning for the data engineer; nothing is refused here, because what was captured is kept.
Limits of shares come from general knowledge of a working laboratory, verify.
"""

from __future__ import annotations

from typing import Final

from pipelines.lib.gate import Gate, Rule

_ALWAYS = {"value_set": [True]}
_NEVER = {"value_set": [False]}
_IN_SET = "ExpectColumnValuesToBeInSet"

FEED: Final = Gate(
    "feed",
    """
select
    feed_id, table_name, key, operation, recorded_at > ? as in_future_flag,
    coalesce(json_type(try_cast(new_row as json)) = 'OBJECT', new_row is null)
        and coalesce(json_type(try_cast(old_row as json)) = 'OBJECT', old_row is null) as images_parse_flag,
    (new_row is not null) = (operation <> 'D') and (old_row is not null) = (operation <> 'I') as images_fit_flag,
    coalesce(try_cast(try_cast(new_row as json) ->> 'id' as bigint), key) = key
        and coalesce(try_cast(try_cast(old_row as json) ->> 'id' as bigint), key) = key as key_kept_flag
from lake.bronze.change
where recorded_at > ?
""",
    (
        Rule("key_present", "Every entry names a row.", "ExpectColumnValuesToNotBeNull", {"column": "key"}),
        Rule("table_present", "Every entry names a table.", "ExpectColumnValuesToNotBeNull", {"column": "table_name"}),
        Rule(
            "operation_known", "The operation is I, U or D.", _IN_SET,
            {"column": "operation", "value_set": ["I", "U", "D"]},
        ),
        Rule("entry_once", "No entry is loaded twice.", "ExpectColumnValuesToBeUnique", {"column": "feed_id"}),
        Rule(
            "not_in_future", "No entry was recorded in the future.", _IN_SET, {"column": "in_future_flag", **_NEVER}
        ),
        Rule("images_parse", "Images are JSON objects.", _IN_SET, {"column": "images_parse_flag", **_ALWAYS}),
        Rule(
            "images_fit", "Insert has a new image, delete an old one, update both.", _IN_SET,
            {"column": "images_fit_flag", **_ALWAYS},
        ),
        Rule("key_kept", "The images carry the entry's key.", _IN_SET, {"column": "key_kept_flag", **_ALWAYS}),
    ),
)  # fmt: skip

RESULTS: Final = Gate(
    "device_results",
    """
with entry as (
    select key, recorded_at, try_cast(new_row as json) as body
    from lake.bronze.change
    where table_name = 'lab_result' and new_row is not null and ? is not null and recorded_at > ?
),

device_result as (
    select
        key, recorded_at, body, body ->> 'test_code' as test_code, body ->> 'value_kind' as value_kind,
        body ->> 'unit' as unit, body ->> 'interpretation' as interpretation,
        try_cast(body ->> 'value_number' as double) as value_number,
        try_cast(body ->> 'reference_low' as double) as reference_low,
        try_cast(body ->> 'reference_high' as double) as reference_high,
        try_cast(body ->> 'observed_at' as timestamptz) as observed_at
    from entry
    where body ->> 'device_code' is not null
)

select
    key, test_code is not null as mapped_flag, value_kind, interpretation,
    value_kind <> 'numeric' or unit is not null as unit_flag,
    value_number is null or value_number between -1000 and 10000000 as in_range_flag,
    observed_at <= recorded_at + interval 5 minute as observed_before_flag,
    reference_low is null or reference_high is null or reference_low <= reference_high as reference_flag,
    value_number is null or interpretation is null or not (
        (interpretation = 'N' and (value_number < reference_low or value_number > reference_high))
        or (interpretation in ('L', 'LL') and value_number >= reference_high)
        or (interpretation in ('H', 'HH') and value_number <= reference_low)
    ) is true as interpretation_flag
from device_result
""",
    (
        Rule(
            "codes_mapped", "At least 95 % of values name a test of the directory.", _IN_SET,
            {"column": "mapped_flag", "mostly": 0.95, **_ALWAYS},
        ),
        Rule("units_named", "Numbers have a unit.", _IN_SET, {"column": "unit_flag", "mostly": 0.98, **_ALWAYS}),
        Rule("values_plausible", "Numbers are no overflow of a device.", _IN_SET,
             {"column": "in_range_flag", **_ALWAYS}),
        Rule("observed_before_received", "No value was observed after it came.", _IN_SET,
             {"column": "observed_before_flag", **_ALWAYS}),
        Rule("intervals_in_order", "Reference intervals begin below their end.", _IN_SET,
             {"column": "reference_flag", **_ALWAYS}),
        Rule("flags_agree", "The device's flag agrees with its interval.", _IN_SET,
             {"column": "interpretation_flag", "mostly": 0.99, **_ALWAYS}),
    ),
)  # fmt: skip

MESSAGES: Final = Gate(
    "device_messages",
    """
select
    key, protocol, status, device_flag, size_flag
from (
    select
        key, try_cast(new_row as json) ->> 'protocol' as protocol, try_cast(new_row as json) ->> 'status' as status,
        (try_cast(new_row as json) ->> 'device_id') is not null as device_flag,
        coalesce(try_cast(try_cast(new_row as json) ->> 'raw_bytes' as bigint) > 0, false) as size_flag,
        row_number() over (partition by key order by xid desc, feed_id desc) as newest
    from lake.bronze.change
    where table_name = 'device_message' and new_row is not null and ? is not null and recorded_at > ?
)
where newest = 1
""",
    (
        Rule("protocol_known", "The protocol is known.", _IN_SET,
             {"column": "protocol", "value_set": ["dicom", "hl7v2"]}),
        Rule("device_known", "At least 95 % of messages come from a registered device.", _IN_SET,
             {"column": "device_flag", "mostly": 0.95, **_ALWAYS}),
        Rule("raw_kept", "Every message has its raw form.", _IN_SET, {"column": "size_flag", **_ALWAYS}),
        Rule("mostly_matched", "At least 90 % of messages found their person.", _IN_SET,
             {"column": "status", "mostly": 0.9, "value_set": ["received", "matched", "resolved"]}),
        Rule("rarely_quarantined", "At most 5 % of messages are in quarantine.", "ExpectColumnValuesToNotBeInSet",
             {"column": "status", "mostly": 0.95, "value_set": ["quarantined", "rejected"]}),
    ),
)  # fmt: skip

STUDIES: Final = Gate(
    "device_studies",
    """
select
    key, modality, status <> 'available' or instances > 0 as filled_flag, instances >= series as counts_flag,
    started_at <= recorded_at + interval 1 day as started_before_flag, matched_flag
from (
    select
        key, recorded_at, try_cast(new_row as json) ->> 'modality' as modality,
        try_cast(new_row as json) ->> 'status' as status,
        try_cast(try_cast(new_row as json) ->> 'instances' as bigint) as instances,
        try_cast(try_cast(new_row as json) ->> 'series' as bigint) as series,
        try_cast(try_cast(new_row as json) ->> 'started_at' as timestamptz) as started_at,
        (try_cast(new_row as json) ->> 'patient_id') is not null as matched_flag,
        row_number() over (partition by key order by xid desc, feed_id desc) as newest
    from lake.bronze.change
    where table_name = 'imaging_study' and new_row is not null and ? is not null and recorded_at > ?
)
where newest = 1
""",
    (
        Rule("modality_present", "A study names its modality.", "ExpectColumnValuesToNotBeNull",
             {"column": "modality"}),
        Rule("objects_present", "An available study has objects.", _IN_SET, {"column": "filled_flag", **_ALWAYS}),
        Rule("counts_agree", "A study has at least one object per series.", _IN_SET,
             {"column": "counts_flag", **_ALWAYS}),
        Rule("begun_before_received", "No study was begun after it came.", _IN_SET,
             {"column": "started_before_flag", **_ALWAYS}),
        Rule("studies_matched", "At least 90 % of studies found their person.", _IN_SET,
             {"column": "matched_flag", "mostly": 0.9, **_ALWAYS}),
    ),
)  # fmt: skip

DEVICES: Final = (RESULTS, MESSAGES, STUDIES)
