//! Published trainings as configuration files: the folder `recipes`, which is
//! also in the program, so that `--config NAME` finds them anywhere.

use std::path::Path;
use toml::{Table, Value};

/// A configuration that somebody published.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// Its name: that of its file without `.toml`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

macro_rules! recipe {
    ($name:literal) => {
        Recipe {
            name: $name,
            text: include_str!(concat!("../../../recipes/", $name, ".toml")),
        }
    };
}

/// Every recipe, sorted by name.
pub const RECIPES: &[Recipe] = &[
    recipe!("alexnet-cifar10"),
    recipe!("alexnet-imagenet"),
    recipe!("all-cnn-c-cifar10"),
    recipe!("cnn-meml-mnist"),
    recipe!("cnn-ntu-mnist"),
    recipe!("cnn-udl-mnist"),
    recipe!("densenet-bc-100-12-cifar10"),
    recipe!("lenet5-1998-mnist"),
    recipe!("mlp-meml-mnist"),
    recipe!("mobilenet_v2-cifar10"),
    recipe!("preact_resnet18-cifar10"),
    recipe!("resnet110-cifar10"),
    recipe!("resnet18-cifar10"),
    recipe!("resnet20-cifar10"),
    recipe!("resnet32-cifar10"),
    recipe!("resnet44-cifar10"),
    recipe!("resnet50-cifar10"),
    recipe!("resnet56-cifar10"),
    recipe!("resnet9-cifar10"),
    recipe!("resnext29-cifar10"),
    recipe!("vgg16-bn-cifar10"),
];

impl Recipe {
    /// The beginning of its first sentence: what it trains, and the source.
    pub fn summary(&self) -> String {
        let head = self.text.lines().map_while(|line| line.strip_prefix("# "));
        let head = head.collect::<Vec<_>>().join(" ");
        let end = [").", "):"].iter().filter_map(|end| head.find(end)).min();
        head[..end.map_or(head.len(), |end| end + 1)].to_owned()
    }

    /// A value of it, by section and key.
    fn value(&self, section: &str, key: &str) -> Option<Value> {
        let table: Table = self.text.parse().ok()?;
        table.get(section)?.get(key).cloned()
    }

    /// The network that it trains.
    pub fn model(&self) -> Option<String> {
        Some(self.value("model", "name")?.as_str()?.to_owned())
    }

    /// The data set, where it names one.
    pub fn dataset(&self) -> Option<String> {
        Some(self.value("data", "dataset")?.as_str()?.to_owned())
    }

    /// How many epochs it takes.
    pub fn epochs(&self) -> Option<i64> {
        self.value("train", "epochs")?.as_integer()
    }
}

/// The recipe called `path`, which may be a path in a folder `recipes` with
/// `.toml` at the end; or else what an error may say.
pub(crate) fn find_recipe(path: &Path) -> Result<&'static Recipe, String> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = file.strip_suffix(".toml").unwrap_or(&file);
    let names = RECIPES.iter().map(|recipe| recipe.name);
    if folder.is_none_or(|folder| folder.ends_with("recipes"))
        && let Some(recipe) = RECIPES.iter().find(|recipe| recipe.name == name)
    {
        return Ok(recipe);
    }
    let suggestion = kiln_names::suggestion(name, names);
    Err(format!(
        ", nor is it a recipe{suggestion}; `kiln list recipes` shows those"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Layers, draft};
    use std::path::PathBuf;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes")
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_program_and_sorted() {
        let files = std::fs::read_dir(folder()).expect("the folder").flatten();
        let mut files: Vec<_> = files
            .map(|file| file.file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        let names: Vec<_> = RECIPES
            .iter()
            .map(|recipe| format!("{}.toml", recipe.name))
            .collect();
        assert_eq!(names, files);
    }

    #[test]
    fn every_recipe_names_its_network_and_its_source() {
        for recipe in RECIPES {
            let model = recipe.model().expect(recipe.name);
            assert!(kiln_models::find(&model).is_ok(), "{}", recipe.name);
            assert!(recipe.epochs().is_some(), "{}", recipe.name);
            assert!(recipe.text.starts_with("# "), "{}", recipe.name);
            let summary = recipe.summary();
            assert!(summary.contains('(') && summary.ends_with(')'), "{summary}");
            assert!(summary.len() < 120, "{summary}");
        }
    }

    #[test]
    fn every_recipe_resolves_by_name_and_by_path() {
        let mut wrong = Vec::new();
        for recipe in RECIPES {
            for config in [
                PathBuf::from(recipe.name),
                folder().join(recipe.name).with_extension("toml"),
            ] {
                let layers = Layers {
                    config: Some(config),
                    ..Layers::default()
                };
                if let Err(error) = draft(&layers) {
                    wrong.push(format!("{}: {error}", recipe.name));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn a_recipe_is_found_without_its_file_and_a_wrong_name_is_corrected() {
        for name in [
            "resnet20-cifar10",
            "resnet20-cifar10.toml",
            "recipes/resnet20-cifar10.toml",
        ] {
            let found = find_recipe(Path::new(name)).expect(name);
            assert_eq!(found.name, "resnet20-cifar10");
        }
        let hint = find_recipe(Path::new("resnet20-cifar")).expect_err("no recipe");
        assert!(hint.contains("resnet20-cifar10"), "{hint}");
        assert!(find_recipe(Path::new("other/resnet20-cifar10.toml")).is_err());
    }
}
