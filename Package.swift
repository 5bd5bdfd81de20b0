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
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .executableTarget(
            name: "denoiser",
            dependencies: [
                "FastCGI", "API", "Inference", "Encoder", "Autoencoder", "Tokenizer", "ModelFiles",
                "JSON", "Kernels", "Threads",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "Inference", "Encoder", "Autoencoder", "Tokenizer", "ModelFiles", "JSON", "Kernels",
                "Threads",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),

        .target(name: "FastCGI", dependencies: ["CFastCGI", "Threads"], swiftSettings: strict),
        .target(
            name: "API", dependencies: ["Inference", "ModelFiles", "JSON", "Threads"],
            swiftSettings: strict),
        .target(
            name: "Inference",
            dependencies: [
                "Tokenizer", "Encoder", "Autoencoder", "ModelFiles", "JSON", "Kernels", "Threads",
                "CDefaultModel",
            ],
            swiftSettings: strict
        ),
        .target(name: "Tokenizer", swiftSettings: strict),
        .target(
            name: "Encoder",
            dependencies: ["Kernels", "Threads", "ModelFiles", "JSON"],
            swiftSettings: strict
        ),
        .target(
            name: "Autoencoder",
            dependencies: ["Kernels", "Threads", "ModelFiles"],
            swiftSettings: strict
        ),
        .target(
            name: "ModelFiles", dependencies: ["Kernels", "JSON", "Threads"], swiftSettings: strict),
        .target(name: "JSON", dependencies: ["CJSONC"], swiftSettings: strict),
        .target(name: "Threads", dependencies: ["CThreads"], swiftSettings: strict),
        .target(name: "CThreads"),
        .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"], swiftSettings: strict),
        .target(name: "CKernels", cSettings: optimised),
        .target(
            name: "CDefaultModel",
            exclude: ["default.safetensors", "report.txt", "corpus", "make", "README.md"],
            cSettings: [.unsafeFlags(["-std=c23"])]
        ),

        .systemLibrary(
            name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
        .systemLibrary(name: "CJSONC", pkgConfig: "json-c", providers: [.apt(["libjson-c-dev"])]),
        .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),

        .testTarget(name: "ThreadsTests", dependencies: ["Threads"], swiftSettings: strict),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels"], swiftSettings: strict),
        .testTarget(
            name: "JSONTests",
            dependencies: ["JSON"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "ModelFilesTests",
            dependencies: ["ModelFiles", "Kernels", "JSON"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "AutoencoderTests",
            dependencies: ["Autoencoder", "Kernels", "Threads", "ModelFiles"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "EncoderTests",
            dependencies: ["Encoder", "Tokenizer", "Kernels", "Threads", "ModelFiles", "JSON"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "TokenizerTests",
            dependencies: ["Tokenizer"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "InferenceTests",
            dependencies: [
                "Inference", "Tokenizer", "Kernels", "ModelFiles", "Autoencoder", "Threads",
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "denoiser", "Inference",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "APITests",
            dependencies: ["API", "Inference", "JSON", "Threads"],
            resources: [.copy("Fixtures")],
            swiftSettings: strict
        ),
        .testTarget(
            name: "FastCGITests", dependencies: ["FastCGI", "Threads"], swiftSettings: strict),
    ]
)

// One set of probes, built twice: as a test over the inputs kept in Corpus, and, where FUZZING is
// set, as the program that Tests/Fuzz/run links with libFuzzer.
let probed: [Target.Dependency] = [
    "FastCGI", "API", "Inference", "JSON", "ModelFiles", "Tokenizer", "Threads", "Kernels",
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
