//! The paths by which an expression chooses what decays.

use super::OptimizerSettings;
use burn::{
    Tensor,
    module::{Module, ModuleVisitor, Param, ParamGroup, ParamId},
};

impl OptimizerSettings {
    /// That an expression for what decays chooses anything of `network`.
    ///
    /// # Errors
    /// A sentence with the expression and the path of the first parameter.
    pub fn check_decay_of<M: Module>(&self, network: &M) -> Result<(), String> {
        let pattern = match self.decay.as_str() {
            "weights" | "all" => return Ok(()),
            pattern => pattern,
        };
        let mut paths = Paths::default();
        network.visit(&mut paths);
        let group = ParamGroup::from_regex(pattern).map_err(|error| format!("{error:?}"))?;
        let chosen = |(id, path): &(ParamId, String)| group.matches(id, Some(path));
        match (paths.found.iter().any(chosen), paths.found.first()) {
            (false, Some((_, first))) => Err(format!(
                "optimizer.decay is '{pattern}', which is in no parameter's path; the first of this network is {first}"
            )),
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Paths {
    path: Vec<String>,
    found: Vec<(ParamId, String)>,
}

impl ModuleVisitor for Paths {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.found.push((param.id, self.path.join(".")));
    }
}
