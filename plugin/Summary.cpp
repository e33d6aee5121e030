// Reads flows out of a solved graph; the text form of summaries. See Summary.h.
#include "Summary.h"

#include "Graph.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace burrow {

namespace {

class Collector {
 public:
  Collector(const Graph& Of, Summary& Into) : G(Of), S(Into) {}

  /// All that is reached from the node comes to the sink.
  void collect(NodeId From, SinkKind Sink, unsigned Param = 0, unsigned Level = 0,
               Planes Plane = Planes::Typed) {
    SmallVector<NodeId> Work{From};
    DenseSet<NodeId> Seen;
    while (!Work.empty()) {
      NodeId N = Work.pop_back_val();
      if (!Seen.insert(N).second) {
        continue;
      }
      for (ObjectId Id : G.Points[N]) {
        const Object& O = G.Objects[Id];
        if (O.Kind == ObjectKind::Param) {
          bool Itself = Sink == SinkKind::Content && O.Param == Param &&
                        O.Level == Summary::below(Level, Plane);
          if (!Itself) {
            S.Flows.insert({O.Param, O.Level, Sink, Param, Level, Plane});
          }
          continue;
        }
        heap(Sink, Param, Level);
        if (O.Kind == ObjectKind::Heap) {
          continue;
        }
        // A new object is of the heap for the caller, and so is what it holds.
        if (Sink != SinkKind::Heap) {
          for (NodeId Content : {O.Typed, O.Raw}) {
            for (ObjectId Held : G.Points[Content]) {
              if (const Object& P = G.Objects[Held]; P.Kind == ObjectKind::Param) {
                S.Flows.insert({P.Param, P.Level, SinkKind::Heap});
              }
            }
          }
        }
        Work.append({O.Typed, O.Raw});
      }
    }
  }

 private:
  void heap(SinkKind Sink, unsigned Param, unsigned Level) {
    if (Sink == SinkKind::Result) {
      S.HeapResult = true;
    } else if (Sink == SinkKind::Content) {
      S.HeapContent.insert({Param, Level});
    }
  }

  const Graph& G;
  Summary& S;
};

bool number(StringRef& Text, unsigned& Into) {
  return !Text.consumeInteger(10, Into);
}

/// "PARAM.LEVEL", the form of one end of a flow.
bool levelOf(StringRef& Text, unsigned& Param, unsigned& Level) {
  return number(Text, Param) && Text.consume_front(".") && number(Text, Level) &&
         Level < Summary::Levels;
}

}  // namespace

Summary Summary::of(const Graph& G) {
  Summary S;
  Collector C(G, S);
  C.collect(G.HeapNode, SinkKind::Heap);
  C.collect(G.ResultNode, SinkKind::Result);
  for (unsigned Param = 0; Param < G.Params.size(); ++Param) {
    for (unsigned Level = 0; Level < G.Params[Param].size(); ++Level) {
      const Object& O = G.Objects[G.Params[Param][Level]];
      C.collect(O.Typed, SinkKind::Content, Param, Level, Planes::Typed);
      C.collect(O.Raw, SinkKind::Content, Param, Level, Planes::Raw);
    }
  }
  for (ObjectId Id : G.Points[G.FreedNode]) {
    if (const Object& O = G.Objects[Id]; O.Kind == ObjectKind::Param) {
      S.Flows.insert({O.Param, O.Level, SinkKind::Freed});
    }
  }
  S.Optimistic = G.Optimistic;
  return S;
}

std::string Summary::text() const {
  std::string Out = HeapResult ? "R" : "-";
  for (const Flow& F : Flows) {
    Out += ";" + utostr(F.Param) + "." + utostr(F.Level) + ">";
    switch (F.Sink) {
      case SinkKind::Heap:
        Out += "h";
        break;
      case SinkKind::Result:
        Out += "r";
        break;
      case SinkKind::Freed:
        Out += "f";
        break;
      case SinkKind::Content:
        Out += utostr(F.SinkParam) + "." + utostr(F.SinkLevel);
        Out += F.SinkPlane == Planes::Raw ? "*" : "";
        break;
    }
  }
  for (auto [Param, Level] : HeapContent) {
    Out += ";h>" + utostr(Param) + "." + utostr(Level);
  }
  return Out;
}

std::optional<Summary> Summary::parse(StringRef Text) {
  Summary S;
  if (Text.consume_front("R")) {
    S.HeapResult = true;
  } else if (!Text.consume_front("-")) {
    return std::nullopt;
  }
  while (!Text.empty()) {
    if (!Text.consume_front(";")) {
      return std::nullopt;
    }
    unsigned Param = 0, Level = 0;
    if (Text.consume_front("h>")) {
      if (!levelOf(Text, Param, Level)) {
        return std::nullopt;
      }
      S.HeapContent.insert({Param, Level});
      continue;
    }
    Flow F;
    if (!levelOf(Text, F.Param, F.Level) || !Text.consume_front(">")) {
      return std::nullopt;
    }
    if (Text.consume_front("h")) {
      F.Sink = SinkKind::Heap;
    } else if (Text.consume_front("r")) {
      F.Sink = SinkKind::Result;
    } else if (Text.consume_front("f")) {
      F.Sink = SinkKind::Freed;
    } else if (levelOf(Text, F.SinkParam, F.SinkLevel)) {
      F.Sink = SinkKind::Content;
      F.SinkPlane = Text.consume_front("*") ? Planes::Raw : Planes::Typed;
    } else {
      return std::nullopt;
    }
    S.Flows.insert(F);
  }
  return S;
}

bool Summary::fits(const Function& F) const {
  auto Has = [&](unsigned Param) { return Param < F.arg_size(); };
  return !F.isVarArg() && all_of(HeapContent, [&](auto C) { return Has(C.first); }) &&
         all_of(Flows, [&](const Flow& Fl) { return Has(Fl.Param) && Has(Fl.SinkParam); });
}

Summary Summary::linking(ArrayRef<unsigned> Params) {
  Summary S;
  for (unsigned From : Params) {
    for (unsigned Level = 0; Level < Levels; ++Level) {
      S.Flows.insert({From, Level, SinkKind::Result, 0, 0});
      for (unsigned To : Params) {
        for (unsigned ToLevel = 0; ToLevel < Levels; ++ToLevel) {
          S.Flows.insert({From, Level, SinkKind::Content, To, ToLevel, Planes::Typed});
          S.Flows.insert({From, Level, SinkKind::Content, To, ToLevel, Planes::Raw});
        }
      }
    }
  }
  return S;
}

const Summary* SummaryTable::find(const Function& F) const {
  return F.isInterposable() || F.isVarArg() ? nullptr : own(F);
}

}  // namespace burrow
