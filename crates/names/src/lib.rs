//! The nearest known name to a mistyped one, for every table that is looked
//! up by name.

/// Names less alike than this are no typing errors of each other.
const ALIKE: f64 = 0.75;

/// The known name that `name` is most likely meant to be.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&name, known), known))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, known)| known)
}

/// `, did you mean 'x'?`, or nothing when no known name is near.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(name, known).map_or_else(String::new, |near| format!(", did you mean '{near}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(
            nearest("Lennet", ["mlp", "lenet", "alexnet"]),
            Some("lenet")
        );
        assert_eq!(nearest("zzz", ["mlp", "lenet"]), None);
        assert_eq!(
            suggestion("adma", ["sgd", "adam"]),
            ", did you mean 'adam'?"
        );
        assert_eq!(suggestion("zzz", ["sgd"]), "");
    }
}
