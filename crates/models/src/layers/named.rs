//! Modules by name, as PyTorch's `nn.Sequential` of an `OrderedDict` and its
//! `add_module` have them.

use burn::{
    module::{Content, Module, ModuleDisplay, ModuleDisplayDefault, ModuleMapper, ModuleVisitor},
    tensor::Device,
};
use std::fmt::Debug;

/// Where the children stand in a path of Burn's.
const CONTAINER: &str = "Named";

/// Modules in order, each under a name that is made when the network is
/// built: the path to one is `denseblock1.denselayer3`, where a `Vec` field
/// would make it `denseblock1.denselayer.2`.
#[derive(Clone, Debug)]
pub struct Named<T> {
    children: Vec<(String, T)>,
}

impl<T> Named<T> {
    /// The modules in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.children.iter().map(|(_, child)| child)
    }

    fn each<U>(self, mut change: impl FnMut(&str, T) -> U) -> Named<U> {
        let change = |(name, child): (String, T)| {
            let child = change(&name, child);
            (name, child)
        };
        self.children.into_iter().map(change).collect()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(children: I) -> Self {
        Self {
            children: children.into_iter().collect(),
        }
    }
}

impl<T: Module + Debug + Send + Clone> Module for Named<T> {
    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        for (name, child) in &self.children {
            visitor.enter_module(name, CONTAINER);
            child.visit(visitor);
            visitor.exit_module(name, CONTAINER);
        }
    }

    fn map<M: ModuleMapper>(self, mapper: &mut M) -> Self {
        self.each(|name, child| {
            mapper.enter_module(name, CONTAINER);
            let child = child.map(mapper);
            mapper.exit_module(name, CONTAINER);
            child
        })
    }

    fn to_device(self, device: &Device) -> Self {
        self.each(|_, child| child.to_device(device))
    }

    fn fork(self, device: &Device) -> Self {
        self.each(|_, child| child.fork(device))
    }

    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.iter()
            .fold(devices, |devices, child| child.collect_devices(devices))
    }

    fn valid(&self) -> Self {
        self.clone().each(|_, child| child.valid())
    }

    fn train(self) -> Self {
        self.each(|_, child| child.train())
    }

    fn materialize(self) -> Self {
        self.each(|_, child| child.materialize())
    }
}

impl<T: ModuleDisplay> ModuleDisplayDefault for Named<T> {
    fn content(&self, content: Content) -> Option<Content> {
        self.children
            .iter()
            .fold(content, |content, (name, child)| content.add(name, child))
            .optional()
    }
}

impl<T: ModuleDisplay> ModuleDisplay for Named<T> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Linear;
    use burn::{module::Param, tensor::Tensor};

    #[derive(Default)]
    struct Paths {
        here: Vec<String>,
        seen: Vec<String>,
    }

    impl Paths {
        fn exit(&mut self, name: &str) {
            assert_eq!(self.here.pop().as_deref(), Some(name));
        }
    }

    impl ModuleVisitor for Paths {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.here.push(name.to_owned());
        }

        fn exit_module(&mut self, name: &str, _container: &str) {
            self.exit(name);
        }

        fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
            self.seen.push(self.here.join("."));
        }
    }

    impl ModuleMapper for Paths {
        fn enter_module(&mut self, name: &str, _container: &str) {
            self.here.push(name.to_owned());
        }

        fn exit_module(&mut self, name: &str, _container: &str) {
            self.exit(name);
        }

        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.seen.push(self.here.join("."));
            param
        }
    }

    #[test]
    fn children_are_visited_and_mapped_under_their_names() {
        let device = Device::flex();
        let child = |name: &str| (name.to_owned(), Linear::new([2, 1], &device));
        let named: Named<Linear> = ["first", "second"].map(child).into_iter().collect();
        let (mut visited, mut mapped) = (Paths::default(), Paths::default());
        named.visit(&mut visited);
        let named = named.map(&mut mapped);
        let paths = ["first.weight", "first.bias", "second.weight", "second.bias"];
        assert_eq!(visited.seen, paths);
        assert_eq!(mapped.seen, paths);
        assert_eq!(Module::num_params(&named), 6);
    }
}
