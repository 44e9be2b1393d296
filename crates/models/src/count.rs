//! Walking over a network's parameters: counting them, making them be.

use burn::{
    module::{Module, ModuleVisitor, Param},
    tensor::{Int, Tensor},
};

/// Number of learnable values; running statistics of a batch norm are none.
pub fn parameters<M: Module>(module: &M) -> usize {
    let mut count = Count(0);
    module.visit(&mut count);
    count.0
}

struct Count(usize);

impl ModuleVisitor for Count {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        // Burn keeps running statistics as parameters that want no gradient.
        if param.is_require_grad() {
            self.0 += param.val().shape().num_elements();
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
