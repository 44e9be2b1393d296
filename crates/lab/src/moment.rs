//! Times in a manifest: local time with its offset, which any machine reads,
//! with or without a database of time zones.

use jiff::{Zoned, fmt::strtime};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

const FORM: &str = "%Y-%m-%dT%H:%M:%S%.f%:z";

/// Writes a time.
pub fn serialize<S: Serializer>(time: &Zoned, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.strftime(FORM).to_string())
}

/// Reads a time; a name of the zone in brackets is left out.
pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Zoned, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bare = text.split('[').next().unwrap_or_default();
    let time = strtime::parse(FORM, bare).map_err(D::Error::custom)?;
    let offset = time
        .offset()
        .ok_or_else(|| D::Error::custom("the time has no offset"))?;
    let timestamp = time.to_timestamp().map_err(D::Error::custom)?;
    Ok(timestamp.to_zoned(offset.to_time_zone()))
}

/// The same for a time that may be open.
pub mod option {
    use super::Zoned;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Moment(#[serde(with = "super")] Zoned);

    /// Writes a time or null.
    pub fn serialize<S: Serializer>(
        time: &Option<Zoned>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.clone().map(Moment).serialize(serializer)
    }

    /// Reads a time or null.
    pub fn deserialize<'a, D: Deserializer<'a>>(
        deserializer: D,
    ) -> Result<Option<Zoned>, D::Error> {
        let time = Option::<Moment>::deserialize(deserializer)?;
        Ok(time.map(|time| time.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;

    #[derive(Serialize, Deserialize)]
    struct Times {
        #[serde(with = "super")]
        one: Zoned,
        #[serde(with = "super::option")]
        other: Option<Zoned>,
    }

    #[test]
    fn times_survive_being_written_and_read_again_and_again() {
        let text = r#"{"one":"2026-11-21T18:25:28.798422448+00:00[UTC]","other":"2026-11-21T18:25:28+01:00"}"#;
        let times: Times = serde_json::from_str(text).expect("reads");
        let once = serde_json::to_string(&times).expect("writes");
        let again: Times = serde_json::from_str(&once).expect("reads again");
        assert_eq!(serde_json::to_string(&again).expect("writes"), once);
        assert_eq!(again.one, times.one);
        assert!(once.contains("+01:00") && !once.contains('['), "{once}");
        let open: Times = serde_json::from_str(
            &once.replace(once.split("\"other\":").nth(1).expect("a value"), "null}"),
        )
        .expect("reads null");
        assert_eq!(open.other, None);
    }
}
