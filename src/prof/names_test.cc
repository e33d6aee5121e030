// Names of functions as people read them.
#include "prof/names.h"

#include <gtest/gtest.h>

namespace burrow::prof {
namespace {

struct Case {
  const char* demangled;
  const char* simple;
};

constexpr Case kCases[] = {
    {"main", "main"},
    {"ns::f(int, char const*)", "ns::f"},
    {"ns::Class::method() const", "ns::Class::method"},
    {"ns::Class::method() &&", "ns::Class::method"},
    {"void ns::f<int>(int)", "ns::f"},
    {"std::vector<int, std::allocator<int> >::push_back(int const&)", "std::vector::push_back"},
    {"std::vector<(a::b)1, void (*)(int)>::at(unsigned long)", "std::vector::at"},
    {"f(std::map<int, int>)::Local::method(int)::{lambda(char)#2}::operator()(char) const",
     "f::Local::method::{lambda(char)#2}::operator()"},
    {"ns::(anonymous namespace)::f(int)", "ns::(anonymous namespace)::f"},
    {"(anonymous namespace)::f()", "(anonymous namespace)::f"},
    {"void (anonymous namespace)::f<int>()", "(anonymous namespace)::f"},
    {"operator new(unsigned long)", "operator new"},
    {"operator delete[](void*, unsigned long)", "operator delete[]"},
    {"A::operator()(int)", "A::operator()"},
    {"A::operator[](int) const", "A::operator[]"},
    {"A::operator bool() const", "A::operator bool"},
    {"A::operator unsigned long<int>()", "A::operator unsigned long"},
    {"A::operator->() const", "A::operator->"},
    {"bool operator< <int>(A<int> const&, A<int> const&)", "operator<"},
    {"std::ostream& std::operator<< <char>(std::ostream&, char)", "std::operator<<"},
    {"bool ns::operator==<int>(A const&, B const&)", "ns::operator=="},
    {"ns::operator<=>(A, B)", "ns::operator<=>"},
    {"ns::operator\"\" _kb(unsigned long long)", "ns::operator\"\" _kb"},
    {"std::__cxx11::basic_string<char>::find[abi:cxx11](char) const",
     "std::__cxx11::basic_string::find[abi:cxx11]"},
    {"ns::f(int) [clone .cold]", "ns::f"},
    {"non-virtual thunk to ns::A::f()", "ns::A::f"},
    {"decltype (a+b) ns::f<int>(int)", "ns::f"},
    {"ns::operators::f(int)", "ns::operators::f"},
    {"my_operator(int)", "my_operator"},
    // Not understood: as it was.
    {"void (*ns::f<int>(int))(char)", "void (*ns::f<int>(int))(char)"},
    {"a<b", "a<b"},
    {"", ""},
};

TEST(Names, AreSimplified) {
  for (const Case& c : kCases) {
    EXPECT_EQ(simplify_name(c.demangled), c.simple) << c.demangled;
  }
}

TEST(Names, AreDemangled) {
  EXPECT_EQ(readable_name("_ZN2ns1fIiEEvT_"), "ns::f");
  EXPECT_EQ(readable_name("_ZN2ns1fEv.cold"), "ns::f");
  EXPECT_EQ(readable_name("_ZN12_GLOBAL__N_11fEv"), "(anonymous namespace)::f");
  EXPECT_EQ(readable_name("_Znwm"), "operator new");
}

TEST(Names, OfCStay) {
  for (const char* name : {"f", "i", "PyObject_Malloc", "_Zbad", "_Z", "", "x.part.0"}) {
    EXPECT_EQ(readable_name(name), name);
  }
}

TEST(Names, OfAnyTextEnd) {
  for (const char* text : {"(", "<", "{", ")", ">", "}", "operator", "operator<", "a(b", "((((",
                           " ", "operator ", "[clone ", "::", "a<(b>", "a<)>", "decltype("}) {
    EXPECT_LE(simplify_name(text).size(), std::string_view(text).size()) << text;
  }
}

}  // namespace
}  // namespace burrow::prof
