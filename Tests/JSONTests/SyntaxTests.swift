import Foundation
import Testing
import TestSupport

@testable import JSON

@Suite struct `JSON syntax` {
    /// A body with what Python's `json.loads` makes of it; `generate.py` wrote it.
    struct Vector: Decodable {
        var body: Data
        /// The value as Python prints it, where there is one.
        var value: String?
        /// The error's text and place; neither where Python fails in another way.
        var message: String?
        var position: Int?
    }

    @Test func `every text has Python's verdict, with its message and place or its value`() throws {
        let vectors = try fixtures.decoded([Vector].self, "syntax.json")
        #expect(vectors.count == 1277)
        for vector in vectors {
            let body = [UInt8](vector.body)
            let shown = String(decoding: body.prefix(80), as: UTF8.self)
            do {
                let value = try echo(body)
                #expect(value.utf8.elementsEqual((vector.value ?? "").utf8), "\(shown): \(value)")
            } catch {
                #expect(vector.value == nil, "\(shown): \(error)")
                if let message = vector.message {
                    #expect(error.message == message, "\(shown)")
                    #expect(error.position == vector.position, "\(shown)")
                    #expect(error.cause == .syntax, "\(shown)")
                } else {
                    #expect(error.cause != .syntax, "\(shown): \(error)")
                }
            }
        }
    }

    @Test(arguments: [1, 2, 960])
    func `a text may be as deep as allowed and no deeper`(depth: Int) throws {
        for (open, close) in [("[", "]"), (#"{"a":"#, "}")] {
            func nested(_ n: Int) -> [UInt8] {
                Array(
                    (String(repeating: open, count: n) + "1" + String(repeating: close, count: n))
                        .utf8)
            }
            #expect(try echo(nested(depth), depth: depth).utf8.elementsEqual(nested(depth)))
            let error = #expect(throws: JSONError.self) {
                try echo(nested(depth + 1), depth: depth)
            }
            #expect(error?.cause == .depth)
        }
    }

    @Test func `what is wrong first is told first, whatever kind it is`() {
        let long = String(repeating: "1", count: 4301)
        func cause(_ text: String) -> JSONError.Cause? {
            do {
                _ = try echo(Array(text.utf8), depth: 2)
                return nil
            } catch { return error.cause }
        }
        #expect(cause("[\(long), x") == .digits)
        #expect(cause("[x, \(long)") == .syntax)
        #expect(cause("[[[x") == .depth)
        #expect(cause("[x[[") == .syntax)
        #expect(cause("[\(long).5]") == nil)
    }

    @Test func `a container costs eight bytes beside the text`() throws {
        let text = "[" + String(repeating: "{},", count: 999) + "[]]"
        let tree = try JSONTree(JSONText(decoding: Array(text.utf8)), depth: 2)
        #expect(tree.extents.count == 1001)
        #expect(MemoryLayout<JSONTree.Extent>.stride == 8)
        #expect(MemoryLayout<JSONNode>.stride == 8)
        #expect(tree.count(of: tree.root) == 1000)
        #expect(tree.count(of: tree.root, limit: 10) == 11)
    }

    @Test func `an object's members are those of a dict, at any size`() throws {
        var generator = SplitMix(state: 3)
        for count in [0, 1, 2, 3, 9, 100, 3000] {
            let names = (0..<count).map { _ in "k\(Int.random(in: 0...count, using: &generator))" }
            let text = names.enumerated().map { "\"\($1)\": \($0)" }.joined(separator: " , ")
            var order: [String] = []
            var last: [String: Int] = [:]
            for (i, name) in names.enumerated() where last.updateValue(i, forKey: name) == nil {
                order.append(name)
            }
            let expected = order.map { "\"\($0)\":\(last[$0] ?? -1)" }.joined(separator: ",")
            #expect(try echo(Array("{\(text)}".utf8)) == "{\(expected)}")
        }
    }
}
