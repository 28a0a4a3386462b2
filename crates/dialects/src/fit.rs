//! The last resort for data that is large without long strings: arrays end early and say so, large fields share the room there is,
//! and what is small stays.

use std::borrow::Cow;

use serde_json::value::RawValue;

use countersign_model::fields;

/// Fields of so many bytes are small: they stay while there is room.
const SMALL: usize = 1024;
/// Less room than this is not worth a part of anything.
const LEAST: usize = 64;

/// JSON in at most `room` bytes; what does not fit in any part is null.
pub(crate) fn fit(text: &str, room: usize) -> Cow<'_, str> {
    if text.len() <= room {
        return Cow::Borrowed(text);
    }
    let cut = match text.as_bytes().first() {
        Some(b'[') if room > LEAST => array(text, room),
        Some(b'{') if room > LEAST => object(text, room),
        _ => None,
    };
    cut.map_or(Cow::Borrowed("null"), Cow::Owned)
}

/// The first elements, and how many more there were.
fn array(text: &str, room: usize) -> Option<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    let more = |count: usize| format!("\"… {count} more\"");
    let room = room - more(elements.len()).len() - 2;
    let mut out = String::from("[");
    let mut kept = 0;
    for element in &elements {
        let left = room.saturating_sub(out.len() + 1);
        if element.get().len() > left {
            let part = fit(element.get(), left);
            if part != "null" {
                out.push_str(&part);
                out.push(',');
                kept += 1;
            }
            break;
        }
        out.push_str(element.get());
        out.push(',');
        kept += 1;
    }
    match elements.len() - kept {
        0 => drop(out.pop()),
        count => out.push_str(&more(count)),
    }
    out.push(']');
    Some(out)
}

/// All small fields as far as they go, and of the large ones what their share of the rest holds.
fn object(text: &str, room: usize) -> Option<String> {
    let mut fields = fields::read(text).ok()?;
    // A name's characters take six bytes each at worst.
    let size = |name: &str, value: &str| name.len() * 6 + value.len() + 4;
    let mut left = room - 2;
    let mut large = 0;
    for (name, value) in &mut fields {
        let least = if value.len() > SMALL { LEAST } else { value.len() };
        let size = size(name, &value[..0]) + least;
        if size > left {
            name.clear();
            continue;
        }
        left -= size;
        large += usize::from(value.len() > SMALL);
    }
    fields.retain(|(name, _)| !name.is_empty());
    for (_, value) in fields.iter_mut().filter(|(_, value)| value.len() > SMALL) {
        let share = left / large + LEAST;
        let part = fit(value, share).into_owned();
        left = (left + LEAST).saturating_sub(part.len());
        large -= 1;
        *value = Cow::Owned(part);
    }
    Some(fields::write(&fields))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn fitted(value: &Value, room: usize) -> Value {
        let text = serde_json::to_string(value).expect("JSON");
        let cut = fit(&text, room);
        assert!(cut.len() <= room.max(4), "{} bytes in {room}", cut.len());
        serde_json::from_str(&cut).expect("still JSON")
    }

    #[test]
    fn an_array_ends_early_and_says_how_much_more_there_was() {
        let cut = fitted(&json!({"numbers": (0..1000).collect::<Vec<u32>>(), "note": "n"}), 600);
        let numbers = cut["numbers"].as_array().expect("an array");
        let kept = numbers.len() - 1;
        assert!(
            kept > 50
                && numbers[..kept]
                    .iter()
                    .eq((0..kept).map(|n| json!(n)).collect::<Vec<_>>().iter())
        );
        assert_eq!(numbers[kept], format!("… {} more", 1000 - kept));
        assert_eq!(cut["note"], "n");
    }

    #[test]
    fn large_fields_share_the_room_and_small_ones_stay() {
        let many = vec![json!({"a": 1, "b": [true]}); 1000];
        let cut = fitted(&json!({"first": many, "id": 7, "second": many, "tiny": [1]}), 20_000);
        assert_eq!((&cut["id"], &cut["tiny"]), (&json!(7), &json!([1])));
        for name in ["first", "second"] {
            let kept = cut[name].as_array().expect("an array");
            assert!(kept.len() > 300 && kept[0] == many[0], "{name}: {}", kept.len());
        }
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<i64>().prop_map(|n| json!(n)),
            "\\PC{0,40}".prop_map(|text| json!(text)),
            Just(Value::Null),
        ];
        leaf.prop_recursive(4, 256, 24, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..24).prop_map(Value::from),
                prop::collection::btree_map("\\PC{0,12}", inner, 0..24).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_fits_and_stays_json(value in anything(), room in 4_usize..4000) {
            fitted(&value, room);
        }
    }
}
