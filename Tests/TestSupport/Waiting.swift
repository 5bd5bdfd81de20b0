internal import Foundation

/// Runs `body` with the path of a new folder, short enough for a socket, which is removed
/// afterwards.
public func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = try temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

/// The path of a new folder, short enough for a socket.
public func temporaryFolder() throws -> String {
    let folder = FileManager.default.temporaryDirectory
        .appending(path: "t\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    return folder.path
}

/// Whether `condition` holds within some seconds; asked again and again.
public func eventually(within seconds: Double = 20, _ condition: () -> Bool) -> Bool {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
        if condition() { return true }
        Thread.sleep(forTimeInterval: 0.01)
    }
    return condition()
}

/// A value behind a lock that the thread sanitizer understands, which it does not of `Mutex`.
public final class Guarded<Value: Sendable>: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Value

    public init(_ value: Value) { self.value = value }

    public func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        lock.withLock { body(&value) }
    }
}

/// Lines that were reported, from any thread.
public final class Lines: Sendable {
    private let lines = Guarded<[String]>([])

    public init() {}

    /// All of them so far.
    public var all: [String] { lines.withLock { $0 } }

    @Sendable public func add(_ line: String) { lines.withLock { $0.append(line) } }
}
