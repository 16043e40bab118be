"""Regional: static data of a major hazard source for a provincial platform, as public code of senders writes it.

Sources: frame ``{appId, serviceId, dataId, districtCode, data}`` and the tables WC_ENT_CGQ (sensors) and WC_PROD_HIS
(stop history) are found in public code of one province's senders; no standard that is public confirms them. The
live-data frame is hearsay and is not written here at all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alerting.model.alarm import digest
from alerting.push.mapped import take, write_time
from alerting.push.profile import RegionalOptions

TIME_FORM = "yyyyMMddHHmmss"


def regional(options: RegionalOptions, body: Mapping[str, Any], stop_id: str) -> dict[str, Any] | None:
    """Give the frame of a notice or of periodic data; None for what the platform has no table for.

    ``data`` is a list of rows here; the transport enciphers and encodes it.

    Args:
        stop_id: Names the stop that a notice tells of, the same from its beginning to its end. The table has one row
            a device: a declared stop of several sensors is one row each.
    """
    rows: Sequence[dict[str, Any]]
    if body.get("subject") == "out_of_service":
        service, rows = options.service_stops, [_stop(options, body, stop_id)]
    elif body.get("subject") == "stop":
        service = options.service_stops
        rows = [_stop(options, {**body, "tag": tag}, digest(stop_id, tag)) for tag in body["tags"]]
    elif body.get("subject") == "sensors":
        service, rows = options.service_sensors, [_sensor(options, one) for one in body["rows"]]
    else:
        return None
    return {
        "appId": options.app_id,
        "serviceId": service,
        "dataId": body["key"],  # 32 hexadecimal digits: a UUID without dashes, the same at every attempt
        "districtCode": options.district_code,
        "data": list(rows),
    }


def _stop(options: RegionalOptions, body: Mapping[str, Any], stop_id: str) -> dict[str, Any]:
    """Write one row of the stop history: a start of monitoring names the stop that it ends."""
    is_start = body["action"] == "cancel"
    said = {
        "REMARK": body.get("reason") or "",
        "PSN": body.get("who") or "",
        "TIME": write_time(str(body["time"]), TIME_FORM),
    }
    empty = dict.fromkeys(said, "")
    stop, start = (empty, said) if is_start else (said, empty)
    return {
        "STOP_ID": stop_id,
        "COMPANY_CODE": options.company_code,
        "PROD_TYPE": "CGQ",
        "EQUIP_CODE": body["tag"],
        "IS_STOP": "0" if is_start else "1",
        **{f"STOP_{name}": value for name, value in stop.items()},
        **{f"START_{name}": value for name, value in start.items()},
    }


def _sensor(options: RegionalOptions, row: Mapping[str, Any]) -> dict[str, Any]:
    """Write one sensor with its range and its four limits; LOW_VALUE_01 is LL, TOP_VALUE_02 HH."""
    limits = row["limits"]
    return {
        "TARGET_CODE": row["tag"],
        "TARGET_NAME": take(row, "title.zh") or row["tag"],
        "COMPANY_CODE": options.company_code,
        "EQUIP_CODE": row["unit"],
        "EQUIP_NAME": take(row, "unit_title.zh") or row["unit"],
        "UNIT": row["eu"],
        "LOW_VALUE_01": limits.get("LL"),
        "LOW_VALUE_02": limits.get("L"),
        "TOP_VALUE_01": limits.get("H"),
        "TOP_VALUE_02": limits.get("HH"),
        "LOW_VALUE": row["range_lo"],
        "TOP_VALUE": row["range_hi"],
        "IS_USE": "1",
    }
