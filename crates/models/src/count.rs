//! Walking over a network's parameters: counting them, making them be.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Int, Tensor},
};
use kiln_weights::{Names, is_running_statistic};

/// Number of learnable values. Burn keeps the running statistics of a batch
/// norm among the parameters; nothing learns them, so they do not count.
pub fn parameters<M: Module>(module: &M) -> usize {
    parameters_where(module, |_| true)
}

/// Number of learnable values whose PyTorch name is `chosen`.
pub fn parameters_where<M: Module>(module: &M, chosen: impl Fn(&str) -> bool) -> usize {
    let mut count = Count {
        names: Names::default(),
        chosen,
        values: 0,
    };
    module.visit(&mut count);
    count.values
}

struct Count<F> {
    names: Names,
    chosen: F,
    values: usize,
}

impl<F: Fn(&str) -> bool> ModuleVisitor for Count<F> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.names.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.names.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.names.pytorch();
        if !is_running_statistic(&name) && (self.chosen)(&name) {
            self.values += param.lazy_shape().num_elements();
        }
    }
}

/// Makes every parameter now: Burn draws its values when they are first
/// looked at, which must not happen after anybody else has drawn.
pub fn materialize<M: Module>(module: &M) {
    module.visit(&mut Materialize);
}

struct Materialize;

impl ModuleVisitor for Materialize {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let _ = param.val();
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        let _ = param.val();
    }
}
