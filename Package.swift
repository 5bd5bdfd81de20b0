// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Spans out of our own ~Copyable storage need lifetime annotations.
    .enableExperimentalFeature("Lifetimes"),
]

let optimised: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno"])]

/// Targets in reading order: a request enters at the top and reaches BLAS at the bottom.
let package = Package(
    name: "denoiser",
    products: [.executable(name: "denoiser", targets: ["denoiser"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .executableTarget(
            name: "denoiser",
            dependencies: [
                "FastCGI", "API", "Inference", "Denoisers", "Tokenizer", "ModelFiles", "JSON",
                "Kernels", "System",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Inference", "Encoder", "Denoisers", "Tokenizer", "JSON", "Kernels", "Tensors",
                "System",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        .target(name: "FastCGI", dependencies: ["CFastCGI", "System"], swiftSettings: strict),
        .target(
            name: "API", dependencies: ["Inference", "JSON", "System"],
            exclude: ["OpenAI/README.md"], swiftSettings: strict),
        .target(
            name: "Inference",
            dependencies: [
                "Tokenizer", "Encoder", "Denoisers", "ModelFiles", "JSON", "Kernels", "Tensors",
                "System",
                "CDefaultModel",
            ],
            swiftSettings: strict
        ),
        .target(name: "Tokenizer", swiftSettings: strict),
        .target(
            name: "Encoder",
            dependencies: ["Kernels", "Tensors", "System", "JSON"],
            swiftSettings: strict
        ),
        .target(
            name: "Denoisers",
            dependencies: ["Kernels", "Tensors", "System"],
            swiftSettings: strict
        ),
        .target(
            name: "ModelFiles", dependencies: ["Tensors", "JSON", "System"],
            swiftSettings: strict),
        .target(name: "JSON", dependencies: ["CJSONC"], swiftSettings: strict),
        .target(name: "Tensors", swiftSettings: strict),
        .target(name: "System", dependencies: ["CSystem"], swiftSettings: strict),
        .target(name: "CSystem"),
        .target(
            name: "Kernels", dependencies: ["CKernels", "COpenBLAS", "Tensors"],
            swiftSettings: strict),
        .target(name: "CKernels", cSettings: optimised),
        .target(
            name: "CDefaultModel",
            exclude: [
                "default.safetensors", "judgement.safetensors", "replay.safetensors", "report.txt",
                "corpus", "make", "strength", "README.md",
            ],
            cSettings: [.unsafeFlags(["-std=c23"])]
        ),

        .systemLibrary(
            name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
        .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),

        // What tests of several targets use: fixtures, a FastCGI peer, a small encoder. It needs no
        // other target, so that a change of the product rebuilds only the tests that concern it.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        // A service and bodies in place of real ones.
        .target(
            name: "StandIns", dependencies: ["API", "Inference", "System"],
            path: "Tests/StandIns", swiftSettings: strict),
        .testTarget(name: "SystemTests", dependencies: ["System"], swiftSettings: strict),
        .testTarget(
            name: "KernelsTests", dependencies: ["Kernels", "Tensors", "TestSupport"],
            swiftSettings: strict),
        .testTarget(
            name: "JSONTests",
            dependencies: ["JSON", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ModelFilesTests",
            dependencies: ["ModelFiles", "Tensors", "System", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DenoisersTests",
            dependencies: [
                "Denoisers", "Kernels", "Tensors", "System", "ModelFiles", "TestSupport",
            ],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EncoderTests",
            dependencies: ["Encoder", "Kernels", "Tensors", "System", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TokenizerTests",
            dependencies: ["Tokenizer", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "InferenceTests",
            dependencies: [
                "Inference", "Encoder", "Tokenizer", "Tensors", "Denoisers", "ModelFiles",
                "System", "TestSupport",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "DenoiserTests",
            dependencies: [
                "denoiser", "API", "FastCGI", "Inference", "ModelFiles", "JSON", "System",
                "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "APITests",
            dependencies: ["API", "Inference", "JSON", "System", "StandIns", "TestSupport"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FastCGITests", dependencies: ["FastCGI", "System", "TestSupport"],
            swiftSettings: strict),
    ]
)

// One set of probes, built twice: as a test over the inputs kept in Corpus, and, where FUZZING is
// set, as the program that Tests/Fuzz/run links with libFuzzer.
let probed: [Target.Dependency] = [
    "FastCGI", "API", "Inference", "JSON", "ModelFiles", "Tokenizer", "System", "Kernels",
    "Tensors", "StandIns",
]
if Context.environment["FUZZING"] == nil {
    package.targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: probed, path: "Tests/Fuzz",
            exclude: ["Corpus", "Driver", "run"], swiftSettings: strict))
} else {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: probed, path: "Tests/Fuzz",
            exclude: ["Corpus", "Replay", "run"],
            swiftSettings: strict + [
                .unsafeFlags(["-parse-as-library"]), .enableExperimentalFeature("Extern"),
            ]))
}
