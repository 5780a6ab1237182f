/** The items as ReqIF 1.2, for DOORS, Polarion and codebeamer; identifiers are stable. */
import type { RequirementView } from '../requirement-view.ts';
import type { Trace } from '../trace.ts';
import { escapeMarkup } from './escape.ts';

/** ReqIF wants a time of last change; the content is what tells versions apart. */
const TIME = '1970-01-01T00:00:00Z';
const STAMP = `LAST-CHANGE="${TIME}"`;

const ATTRIBUTES: readonly (readonly [string, (view: RequirementView) => string])[] = [
  ['ReqIF.ForeignID', (view) => view.id],
  ['ReqIF.Name', (view) => view.title],
  ['ReqIF.Text', (view) => view.text],
  ['Rationale', (view) => view.rationale],
  ['ASIL', (view) => view.asil ?? ''],
  ['Status', (view) => view.status],
  ['Verification', (view) => view.method],
];

/** An XML id: a letter, then letters, digits, points, dashes. */
function xmlId(prefix: string, name: string): string {
  return `${prefix}-${name.replace(/[^A-Za-z0-9.-]/g, '_')}`;
}

function attributeId(type: string, name: string): string {
  return xmlId('attribute', `${type}-${name}`);
}

function specType(type: string): string[] {
  return [
    `        <SPEC-OBJECT-TYPE IDENTIFIER="${xmlId('type', type)}" ${STAMP} LONG-NAME="${type}">`,
    '          <SPEC-ATTRIBUTES>',
    ...ATTRIBUTES.flatMap(([name]) => [
      `            <ATTRIBUTE-DEFINITION-STRING IDENTIFIER="${attributeId(type, name)}" ${STAMP} LONG-NAME="${name}">`,
      '              <TYPE><DATATYPE-DEFINITION-STRING-REF>text</DATATYPE-DEFINITION-STRING-REF></TYPE>',
      '            </ATTRIBUTE-DEFINITION-STRING>',
    ]),
    '          </SPEC-ATTRIBUTES>',
    '        </SPEC-OBJECT-TYPE>',
  ];
}

function specObject(view: RequirementView): string[] {
  return [
    `        <SPEC-OBJECT IDENTIFIER="${xmlId('item', view.id)}" ${STAMP}>`,
    '          <VALUES>',
    ...ATTRIBUTES.flatMap(([name, value]) => [
      `            <ATTRIBUTE-VALUE-STRING THE-VALUE="${escapeMarkup(value(view)).replace(/\n/g, '&#10;')}">`,
      `              <DEFINITION><ATTRIBUTE-DEFINITION-STRING-REF>${attributeId(view.type, name)}</ATTRIBUTE-DEFINITION-STRING-REF></DEFINITION>`,
      '            </ATTRIBUTE-VALUE-STRING>',
    ]),
    '          </VALUES>',
    `          <TYPE><SPEC-OBJECT-TYPE-REF>${xmlId('type', view.type)}</SPEC-OBJECT-TYPE-REF></TYPE>`,
    '        </SPEC-OBJECT>',
  ];
}

function relations(view: RequirementView, known: ReadonlySet<string>): string[] {
  return view.parents
    .filter(({ id }) => known.has(id))
    .flatMap(({ id }) => [
      `        <SPEC-RELATION IDENTIFIER="${xmlId('covers', `${view.id}-${id}`)}" ${STAMP}>`,
      `          <SOURCE><SPEC-OBJECT-REF>${xmlId('item', view.id)}</SPEC-OBJECT-REF></SOURCE>`,
      `          <TARGET><SPEC-OBJECT-REF>${xmlId('item', id)}</SPEC-OBJECT-REF></TARGET>`,
      '          <TYPE><SPEC-RELATION-TYPE-REF>type-covers</SPEC-RELATION-TYPE-REF></TYPE>',
      '        </SPEC-RELATION>',
    ]);
}

function hierarchy(view: RequirementView): string[] {
  return [
    `            <SPEC-HIERARCHY IDENTIFIER="${xmlId('place', view.id)}" ${STAMP}>`,
    `              <OBJECT><SPEC-OBJECT-REF>${xmlId('item', view.id)}</SPEC-OBJECT-REF></OBJECT>`,
    '            </SPEC-HIERARCHY>',
  ];
}

/** An id that exists twice is written once: the findings tell about it. */
function once(views: readonly RequirementView[]): RequirementView[] {
  return [...new Map(views.map((view) => [view.id, view])).values()];
}

// [impl->req~trace.exports~1]
export function reqif({ origin, requirements }: Trace): string {
  const views = once(requirements);
  const known = new Set(views.map(({ id }) => id));
  const types = [...new Set(views.map(({ type }) => type))];
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<REQ-IF xmlns="http://www.omg.org/spec/ReqIF/20110401/reqif.xsd">',
    '  <THE-HEADER>',
    '    <REQ-IF-HEADER IDENTIFIER="virtio-gateway">',
    `      <CREATION-TIME>${TIME}</CREATION-TIME>`,
    `      <REQ-IF-TOOL-ID>${escapeMarkup(origin.tool)}</REQ-IF-TOOL-ID>`,
    '      <REQ-IF-VERSION>1.0</REQ-IF-VERSION>',
    '      <SOURCE-TOOL-ID>virtio-gateway</SOURCE-TOOL-ID>',
    '      <TITLE>virtio-gateway requirements</TITLE>',
    '    </REQ-IF-HEADER>',
    '  </THE-HEADER>',
    '  <CORE-CONTENT>',
    '    <REQ-IF-CONTENT>',
    '      <DATATYPES>',
    `        <DATATYPE-DEFINITION-STRING IDENTIFIER="text" ${STAMP} LONG-NAME="text" MAX-LENGTH="32000"/>`,
    '      </DATATYPES>',
    '      <SPEC-TYPES>',
    ...types.flatMap(specType),
    `        <SPEC-RELATION-TYPE IDENTIFIER="type-covers" ${STAMP} LONG-NAME="covers"/>`,
    `        <SPECIFICATION-TYPE IDENTIFIER="type-specification" ${STAMP} LONG-NAME="specification"/>`,
    '      </SPEC-TYPES>',
    '      <SPEC-OBJECTS>',
    ...views.flatMap(specObject),
    '      </SPEC-OBJECTS>',
    '      <SPEC-RELATIONS>',
    ...views.flatMap((view) => relations(view, known)),
    '      </SPEC-RELATIONS>',
    '      <SPECIFICATIONS>',
    `        <SPECIFICATION IDENTIFIER="specification" ${STAMP} LONG-NAME="virtio-gateway">`,
    '          <TYPE><SPECIFICATION-TYPE-REF>type-specification</SPECIFICATION-TYPE-REF></TYPE>',
    '          <CHILDREN>',
    ...views.flatMap(hierarchy),
    '          </CHILDREN>',
    '        </SPECIFICATION>',
    '      </SPECIFICATIONS>',
    '    </REQ-IF-CONTENT>',
    '  </CORE-CONTENT>',
    '</REQ-IF>',
    '',
  ].join('\n');
}
