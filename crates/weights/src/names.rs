//! The names that PyTorch gives to the parameters of a Burn module.

use burn::{
    module::{Flag, Module, ModuleVisitor, Param, ParamId},
    tensor::Tensor,
};

/// The way from the root of a module to a parameter. A visitor or mapper
/// hands its `enter_module` and `exit_module` on to it.
#[derive(Debug, Default)]
pub struct Names(Vec<(String, String)>);

impl Names {
    /// Goes into the field `name` of a `container`, as Burn calls it.
    pub fn enter(&mut self, name: &str, container: &str) {
        self.0.push((name.to_owned(), container.to_owned()));
    }

    /// Comes back out of it.
    pub fn exit(&mut self) {
        self.0.pop();
    }

    /// PyTorch's name: without variants of enums and the field `layers` of a
    /// `Sequential` or `DenseSequential`, and with a norm's `gamma` and `beta` as `weight` and
    /// `bias`.
    pub fn pytorch(&self) -> String {
        let parts = self.0.iter().filter_map(|(name, container)| {
            match (name.as_str(), container.as_str()) {
                (_, container) if container.starts_with("Enum:") => None,
                ("layers", "Struct:Sequential" | "Struct:DenseSequential") => None,
                ("gamma", container) if container.contains("Norm") => Some("weight"),
                ("beta", container) if container.contains("Norm") => Some("bias"),
                (name, _) => Some(name),
            }
        });
        parts.collect::<Vec<_>>().join(".")
    }

    /// Whether PyTorch keeps this parameter transposed: the weight of a linear layer.
    pub fn is_transposed(&self) -> bool {
        matches!(self.0.last(), Some((name, container)) if name == "weight" && container == "Struct:Linear")
    }
}

/// Whether a parameter of this name is a statistic that a batch norm keeps:
/// Burn has it among the parameters, but nothing learns it.
pub fn is_running_statistic(name: &str) -> bool {
    matches!(
        name.rsplit('.').next(),
        Some("running_mean" | "running_var")
    )
}

/// PyTorch's name of every parameter and running statistic, in the order in
/// which Burn visits them. No parameter is drawn for it.
pub fn parameter_names<M: Module>(module: &M) -> Vec<(ParamId, String)> {
    let parameters = inventory(module).into_iter();
    parameters.map(|found| (found.id, found.name)).collect()
}

/// The parameters, running statistics and training flags whose PyTorch name
/// is `chosen`. A flag has the name of its layer with `.training`: freezing it
/// stops the layer's statistics or its dropout.
pub fn select<M: Module>(module: &M, chosen: impl Fn(&str) -> bool) -> Vec<ParamId> {
    let mut select = Select {
        names: Names::default(),
        chosen,
        ids: Vec::new(),
    };
    module.visit(&mut select);
    select.ids
}

struct Select<F> {
    names: Names,
    chosen: F,
    ids: Vec<ParamId>,
}

impl<F: Fn(&str) -> bool> Select<F> {
    fn add(&mut self, id: ParamId) {
        if (self.chosen)(&self.names.pytorch()) {
            self.ids.push(id);
        }
    }
}

impl<F: Fn(&str) -> bool> ModuleVisitor for Select<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.add(param.id);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.add(flag.id);
    }
}

/// A parameter or running statistic as PyTorch sees it.
pub(crate) struct Found {
    id: ParamId,
    pub name: String,
    pub shape: Vec<usize>,
}

/// Every parameter and running statistic. No parameter is drawn for it.
pub(crate) fn inventory<M: Module>(module: &M) -> Vec<Found> {
    let mut inventory = Inventory::default();
    module.visit(&mut inventory);
    inventory.found
}

#[derive(Default)]
struct Inventory {
    names: Names,
    found: Vec<Found>,
}

impl ModuleVisitor for Inventory {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let mut shape = param.lazy_shape().to_vec();
        if self.names.is_transposed() {
            shape.reverse();
        }
        self.found.push(Found {
            id: param.id,
            name: self.names.pytorch(),
            shape,
        });
    }
}
