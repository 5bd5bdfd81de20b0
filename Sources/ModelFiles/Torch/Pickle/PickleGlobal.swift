internal import Tensors

/// The names that a pickle may refer to.
///
/// They are recognised, never looked up or called.
enum PickleGlobal: Equatable {
    case orderedDict
    case defaultDict
    /// How PyTorch puts a tensor together.
    case rebuild(TorchRebuild)
    /// `torch.nn.Parameter` itself, which wraps a tensor.
    case parameter
    /// A storage class, by its element type.
    case storage(TorchElement)
    case dtype(TorchElement)
    /// A class or function whose results are skipped; `kind` says what they are.
    case skipped(kind: String)

    /// Nil for every name that no model file needs.
    init?(module: String, name: String) {
        // Protocol 2 writes the names of Python 2.
        let module = Self.renamed[module] ?? module
        let name = module == "builtins" ? Self.renamedTypes[name] ?? name : name
        let full = "\(module).\(name)"
        switch full {
        case "collections.OrderedDict": self = .orderedDict
        case "collections.defaultdict": self = .defaultDict
        case "torch.nn.parameter.Parameter": self = .parameter
        case "torch._tensor._rebuild_from_type_v2": self = .rebuild(.fromType)
        default:
            if let rebuild = TorchRebuild(rawValue: name), module == "torch._utils" {
                self = .rebuild(rebuild)
            } else if Self.storageModules.contains(module),
                let element = TorchElement(storage: name)
            {
                self = .storage(element)
            } else if module == "torch", let element = TorchElement(rawValue: name) {
                self = .dtype(element)
            } else if let kind = Self.kinds[full] {
                self = .skipped(kind: kind)
            } else if Self.skippedNames[module]?.contains(name) == true {
                self = .skipped(kind: "a \(full)")
            } else {
                return nil
            }
        }
    }

    private static let renamed = ["__builtin__": "builtins", "copy_reg": "copyreg"]

    private static let renamedTypes = [
        "xrange": "range", "unicode": "str", "long": "int",
    ]

    private static let storageModules: Set = ["torch", "torch.cuda", "torch.storage"]

    /// What PyTorch makes that holds no numbers of its own, or none that a network would take.
    private static let kinds = [
        "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
        "torch._utils._rebuild_qtensor": "a quantised tensor",
        "torch._utils._rebuild_meta_tensor_no_storage": "a meta tensor, which has no data",
        "torch._utils._rebuild_wrapper_subclass": "a tensor of another class",
        "torch._utils._rebuild_device_tensor_from_numpy": "a tensor in numpy's form",
        "torch.serialization._get_layout": "a torch.layout",
        "_codecs.encode": "bytes",
        "numpy.core.multiarray.scalar": "a numpy scalar",
        "numpy._core.multiarray.scalar": "a numpy scalar",
        "numpy.core.multiarray._reconstruct": "a numpy array",
        "numpy._core.multiarray._reconstruct": "a numpy array",
        "numpy.core.numeric._frombuffer": "a numpy array",
        "numpy._core.numeric._frombuffer": "a numpy array",
        "copyreg._reconstructor": "an object",
    ]

    /// Plain data of Python, PyTorch and numpy, by module.
    private static let skippedNames: [String: Set<String>] = [
        "torch": [
            "Size", "device", "Tensor", "per_tensor_affine", "per_tensor_symmetric",
            "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams",
        ],
        "torch.torch_version": ["TorchVersion"],
        "builtins": [
            "set", "frozenset", "complex", "bytearray", "bytes", "slice", "range", "list", "dict",
            "tuple", "int", "float", "str", "bool", "object",
        ],
        "collections": ["Counter", "deque"],
        "datetime": ["datetime", "date", "time", "timedelta", "timezone"],
        "decimal": ["Decimal"],
        "fractions": ["Fraction"],
        "uuid": ["UUID"],
        "argparse": ["Namespace"],
        "types": ["SimpleNamespace"],
        "pathlib": pathNames,
        "pathlib._local": pathNames,
        "numpy": [
            "dtype", "ndarray", "bool_", "bool", "float16", "float32", "float64", "int8", "int16",
            "int32", "int64", "uint8", "uint16", "uint32", "uint64", "complex64", "complex128",
        ],
    ]

    private static let pathNames: Set = [
        "Path", "PosixPath", "WindowsPath", "PurePath", "PurePosixPath", "PureWindowsPath",
    ]
}

/// The functions of PyTorch that put a tensor together, by their names in `torch._utils`.
enum TorchRebuild: String {
    /// From a storage, an offset, a shape and strides.
    case oldest = "_rebuild_tensor"
    /// With whether it has a gradient, hooks, and perhaps signs.
    case plain = "_rebuild_tensor_v2"
    /// With a type of its own over a storage of bytes.
    case typed = "_rebuild_tensor_v3"
    case parameter = "_rebuild_parameter"
    case parameterWithState = "_rebuild_parameter_with_state"
    case fromProcessorTensor = "_rebuild_device_tensor_from_cpu_tensor"
    /// Another of these functions, its arguments, and attributes; in `torch._tensor`.
    case fromType = "_rebuild_from_type_v2"
}
