//! Our own events as JSON lines. An id that is missing is derived; everything else must be there as the model says.

use serde_json::Value;
use watchpost_model::event::{Event, canonical_address};

use crate::importer::Reading;

pub(crate) fn read(text: &str) -> Reading {
    let mut value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return Reading::Bad(format!("not JSON: {error}")),
    };
    let Some(members) = value.as_object_mut() else {
        return Reading::Bad("not a JSON object".to_owned());
    };
    let has_id = members.get("id").is_some_and(|id| !id.is_null());
    if !has_id {
        members.insert("id".to_owned(), Value::String("00000000-0000-8000-8000-000000000000".to_owned()));
    }
    match serde_json::from_value::<Event>(value) {
        Ok(mut event) => {
            event.set_count(u64::from(event.count));
            event.risk = event.risk.map(|risk| risk.min(100));
            event.source_ip = event.source_ip.map(|ip| canonical_address(&ip));
            Reading::Event { event: Box::new(event), has_id }
        }
        Err(error) => Reading::Bad(format!("not an event: {error}")),
    }
}
