//! Question texts with named places (`:from`), so that a report can show them as they were asked.

use crate::engine::Value;

/// The values of the named places.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Vec<(&'static str, Vec<Value>)>);

impl Places {
    /// A place for one value.
    pub(super) fn set(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.retain(|(place, _)| *place != name);
        self.0.push((name, vec![value.into()]));
    }

    /// A place for a list: `(a, b, c)`.
    pub(super) fn set_list(&mut self, name: &'static str, values: Vec<Value>) {
        self.0.push((name, values));
    }

    /// The text with numbered places, and the values in their order. A place without a value stays as it stands, which the
    /// database refuses: a mistake is loud.
    pub(super) fn bind(&self, text: &str) -> (String, Vec<Value>) {
        let mut sql = String::with_capacity(text.len());
        let mut values: Vec<Value> = Vec::new();
        // The first number of each name, so that a name used twice is bound once.
        let mut seen: Vec<(&str, usize)> = Vec::new();
        let mut rest = text;
        while let Some(colon) = rest.find(':') {
            let (before, after) = rest.split_at(colon);
            sql.push_str(before);
            let name: &str = {
                let end = after[1..].bytes().take_while(u8::is_ascii_lowercase).count();
                &after[1..=end]
            };
            let known = self.0.iter().find(|(place, _)| *place == name);
            let Some((place, list)) = known else {
                sql.push(':');
                rest = &after[1..];
                continue;
            };
            let first = seen.iter().find(|(seen, _)| seen == place).map(|(_, first)| *first);
            let first = first.unwrap_or_else(|| {
                let first = values.len() + 1;
                values.extend(list.iter().cloned());
                seen.push((place, first));
                first
            });
            let numbers: Vec<String> = (first..first + list.len()).map(|n| format!("${n}")).collect();
            if list.len() == 1 && !LISTS.contains(place) {
                sql.push_str(&numbers[0]);
            } else {
                sql.push('(');
                sql.push_str(&numbers.join(", "));
                sql.push(')');
            }
            rest = &after[1 + name.len()..];
        }
        sql.push_str(rest);
        (sql, values)
    }
}

/// Places that are lists even with one value.
const LISTS: [&str; 2] = ["families", "positions"];

#[cfg(test)]
mod tests {
    use super::Places;
    use crate::engine::args;

    #[test]
    fn places_are_numbered_in_the_order_of_the_text() {
        let mut places = Places::default();
        places.set("to", 2_i64);
        places.set("from", 1_i64);
        places.set_list("families", args!["sqli", "xss"]);
        let (sql, values) = places.bind("a >= :from AND a < :to AND b IN :families AND c > :from AND ':x'");
        assert_eq!(sql, "a >= $1 AND a < $2 AND b IN ($3, $4) AND c > $1 AND ':x'");
        assert_eq!(values, args![1_i64, 2_i64, "sqli", "xss"]);
    }
}
