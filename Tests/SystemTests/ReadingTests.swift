import Glibc
import Testing

@testable import System

@Suite struct `Reading a descriptor to its end` {
    /// `count` bytes, none of which is like its neighbours.
    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    /// A file without a name that holds `bytes`, read from its beginning.
    private func file(_ bytes: [UInt8]) throws -> Int32 {
        var path = Array("/tmp/reading-XXXXXX".utf8CString)
        let descriptor = unsafe mkstemp(&path)
        try #require(descriptor >= 0)
        unsafe unlink(path)
        let count = unsafe write(descriptor, bytes, bytes.count)
        try #require(count == bytes.count)
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    @Test(arguments: [0, 1, 4096, 65_536, 65_537, 3 << 20])
    func `gives every byte of a file`(count: Int) throws {
        let descriptor = try file(bytes(count))
        defer { close(descriptor) }
        #expect(try readToEnd(descriptor) == bytes(count))
    }

    @Test func `begins where the descriptor stands`() throws {
        let descriptor = try file(bytes(1000))
        defer { close(descriptor) }
        lseek(descriptor, 990, SEEK_SET)
        #expect(try readToEnd(descriptor) == Array(bytes(1000)[990...]))
    }

    @Test(arguments: [0, 1, 999, 1000, 1001])
    func `gives one byte more than the limit of a file that has more`(limit: Int) throws {
        let descriptor = try file(bytes(1000))
        defer { close(descriptor) }
        #expect(try readToEnd(descriptor, limit: limit).count == min(limit + 1, 1000))
    }

    @Test(arguments: [10, 65_536, 200_000])
    func `gives every byte of a pipe, which has no size`(count: Int) throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        defer { close(reader) }
        let expected = bytes(count)
        // A pipe holds 64 KiB: another thread writes what is beyond.
        let thread = try SystemThread {
            var sent = 0
            while sent < expected.count {
                let rest = Array(expected[sent..<min(sent + 5000, expected.count)])
                sent += unsafe max(0, write(writer, rest, rest.count))
            }
            close(writer)
        }
        #expect(try readToEnd(reader) == expected)
        thread.join()
    }

    @Test func `gives every byte of a file of the kernel, which says that it has none`() throws {
        let text = try #require(textOfFile("/proc/self/status"))
        #expect(text.hasPrefix("Name:") && text.contains("Threads:"))
        let map = try readWholeFile("/proc/self/maps")
        #expect(map.count > 4096 && map.last == UInt8(ascii: "\n"))
    }

    @Test func `tells what the system refuses`() {
        #expect(throws: SystemError(code: ENOENT)) { try readWholeFile("/none/at/all") }
        #expect(throws: SystemError(code: EISDIR)) { try readWholeFile("/") }
        #expect(throws: SystemError(code: EBADF)) { try readToEnd(-1) }
        #expect(textOfFile("/none/at/all") == nil)
        #expect(SystemError(code: ENOENT).description == "No such file or directory")
    }

    @Test func `gives up if the wait for more does`() throws {
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        _ = unsafe write(ends[1], "ab", 2)
        _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
        var waits = 0
        #expect(throws: SystemError(code: ETIMEDOUT)) {
            try readToEnd(ends[0]) {
                waits += 1
                return waits < 4
            }
        }
        #expect(waits == 4)
    }

    @Test func `by chunks gives the same bytes in order`() throws {
        let expected = bytes((1 << 20) + 5)
        let descriptor = try file(expected)
        defer { close(descriptor) }
        var read: [UInt8] = []
        try forEachChunk(of: descriptor) { chunk in
            for i in chunk.indices { read.append(chunk[i]) }
        }
        #expect(read == expected)
    }
}

@Suite struct `Paths and the environment` {
    @Test(arguments: [
        ("a", ".", "a"), ("/a", "/", "a"), ("b/a", "b", "a"), ("/b/a", "/b", "a"),
        ("/b/", "/b", ""), ("./a", ".", "a"),
    ])
    func `a path's folder and last name`(path: String, folder: String, last: String) {
        #expect(directory(of: path) == folder)
        #expect(name(of: path) == last)
    }

    @Test func `a variable that is unset or empty has no value`() {
        unsafe setenv("SYSTEM_TESTS_EMPTY", "", 1)
        unsafe setenv("SYSTEM_TESTS_FULL", "value", 1)
        #expect(environment("SYSTEM_TESTS_EMPTY") == nil)
        #expect(environment("SYSTEM_TESTS_NONE") == nil)
        #expect(environment("SYSTEM_TESTS_FULL") == "value")
        #expect(environmentBytes("SYSTEM_TESTS_EMPTY") == [])
        #expect(environmentBytes("SYSTEM_TESTS_FULL") == Array("value".utf8))
    }
}
