//! The kernels of the course. The dependencies of a kernel are what its start waits for, so what few chapters need is in a
//! kernel of its own.

/// A kernel of the course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// `moments`, `moments_lab`, `ndarray`, `plotters` and `rand`.
    #[default]
    Plain,
    /// Those and `nalgebra`, for chapters with exact spectra.
    Nalgebra,
}

impl Flavour {
    /// All kernels of the course.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Nalgebra];

    /// The name of its kernelspec, as a notebook's metadata gives it.
    pub fn kernel_name(self) -> &'static str {
        match self {
            Self::Plain => "moments",
            Self::Nalgebra => "moments-nalgebra",
        }
    }

    /// Its name as Jupyter shows it.
    pub fn display_name(self) -> &'static str {
        match self {
            Self::Plain => "Rust (Moments)",
            Self::Nalgebra => "Rust (Moments + nalgebra)",
        }
    }

    /// The kernel of this name.
    pub fn named(kernel_name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|flavour| flavour.kernel_name() == kernel_name)
    }

    /// The crates of the registry that a notebook on it sees.
    pub(crate) fn registry(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &["ndarray", "plotters", "rand"],
            Self::Nalgebra => &["nalgebra", "ndarray", "plotters", "rand"],
        }
    }

    /// The features that `moments-lab` has on it.
    pub(crate) fn lab_features(self) -> &'static [&'static str] {
        match self {
            Self::Plain => &[],
            Self::Nalgebra => &["nalgebra"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Flavour;

    #[test]
    fn a_kernel_is_found_by_its_name_alone() {
        for flavour in Flavour::ALL {
            assert_eq!(Flavour::named(flavour.kernel_name()), Some(flavour));
        }
        assert_eq!(Flavour::named("rust"), None);
    }
}
