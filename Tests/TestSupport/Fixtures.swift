public import Foundation

/// The folder `Fixtures` of a test target.
public struct Fixtures: Sendable {
    /// Where it is.
    public let folder: URL

    /// - Parameter bundle: the test target's own, `.module`.
    public init(in bundle: Bundle) {
        folder = (bundle.resourceURL ?? bundle.bundleURL).appending(path: "Fixtures")
    }

    /// - Parameter target: the name of the test target whose fixtures they are.
    public init(of target: String) {
        folder =
            URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../\(target)/Fixtures").standardized
    }

    /// Where the file `name` is.
    public func url(_ name: String) -> URL { folder.appending(path: name) }

    /// The path of the file `name`.
    public func path(_ name: String) -> String { url(name).path }

    /// All of the file `name`.
    public func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }

    /// The bytes of the file `name`.
    public func bytes(_ name: String) throws -> [UInt8] { [UInt8](try data(name)) }

    /// The JSON of the file `name`, read by Foundation rather than by what is tested.
    public func decoded<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        try JSONDecoder().decode(type, from: data(name))
    }
}
